"""A customer's balance: what changes it, what it pays, and what gives it back."""

import stripe

from stripe_simulator.tests.conftest import make_paying_customer
from stripe_simulator.tests.resource_types import problems_of_resource
from stripe_simulator.tests.test_currencies import invoice_of

Client = stripe.StripeClient


def told(client: Client, customer: stripe.Customer) -> list[tuple[str, int, int]]:
    listed = client.v1.customers.balance_transactions.list(customer.id)
    assert problems_of_resource(listed) == []
    return [(one.type, one.amount, one.ending_balance) for one in listed.data]


def test_a_credit_given_by_hand_is_used_by_the_next_invoice(client: Client) -> None:
    customer = make_paying_customer(client)
    made = client.v1.customers.balance_transactions.create(
        customer.id, {"amount": -15000, "currency": "usd", "description": "Goodwill"}
    )
    assert problems_of_resource(made) == []
    first = invoice_of(client, customer, 6000, "usd")
    assert (first.status, first.amount_due, first.starting_balance, first.ending_balance) == (
        "paid",
        0,
        -15000,
        -9000,
    )
    second = invoice_of(client, customer, 10000, "usd")
    assert (second.status, second.amount_due, second.ending_balance) == ("open", 1000, 0)
    assert told(client, customer) == [
        ("applied_to_invoice", 9000, 0),
        ("applied_to_invoice", 6000, -9000),
        ("adjustment", -15000, -15000),
    ]


def test_what_is_too_small_to_charge_is_left_to_the_next_invoice(client: Client) -> None:
    customer = make_paying_customer(client)
    small = invoice_of(client, customer, 30, "usd")
    assert (small.status, small.total, small.amount_due, small.ending_balance) == ("paid", 30, 0, 30)
    assert told(client, customer) == [("invoice_too_small", 30, 30)]
    following = invoice_of(client, customer, 20, "usd")
    assert (following.status, following.starting_balance, following.amount_due) == ("open", 30, 50)


def test_each_currency_has_its_least_amount(client: Client) -> None:
    customer = make_paying_customer(client)
    asked = {
        (currency, amount): invoice_of(client, customer, amount, currency).amount_due
        for currency, amount in [("gbp", 29), ("eur", 50), ("jpy", 49), ("kwd", 490)]
    }
    assert asked == {("gbp", 29): 0, ("eur", 50): 50, ("jpy", 49): 0, ("kwd", 490): 0}


def test_a_debt_is_added_to_the_next_invoice(client: Client) -> None:
    customer = make_paying_customer(client)
    client.v1.customers.balance_transactions.create(customer.id, {"amount": 500, "currency": "usd"})
    invoice = client.v1.invoices.pay(invoice_of(client, customer, 1000, "usd").id)
    assert (invoice.total, invoice.amount_due, invoice.amount_paid, invoice.ending_balance) == (
        1000,
        1500,
        1500,
        0,
    )
    assert client.v1.customers.retrieve(customer.id).balance == 0


def test_a_voided_invoice_gives_back_what_it_used(client: Client) -> None:
    customer = make_paying_customer(client)
    client.v1.customers.balance_transactions.create(customer.id, {"amount": -400, "currency": "usd"})
    invoice = invoice_of(client, customer, 1000, "usd")
    client.v1.invoices.void_invoice(invoice.id)
    assert client.v1.customers.retrieve(customer.id).balance == -400
    assert told(client, customer)[0] == ("unapplied_from_invoice", -400, -400)


def test_a_credit_in_dollars_leaves_an_invoice_in_euros_alone(client: Client) -> None:
    customer = make_paying_customer(client)
    client.v1.customers.balance_transactions.create(customer.id, {"amount": -400, "currency": "USD"})
    assert invoice_of(client, customer, 1000, "eur").amount_due == 1000
    assert client.v1.customers.retrieve(customer.id).balance == -400
