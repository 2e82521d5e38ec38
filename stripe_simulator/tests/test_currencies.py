"""Customers with more than one currency: what balances pay, and what can't be mixed."""

from typing import Any

import pytest
import stripe

from stripe_simulator.control import Control
from stripe_simulator.tests.conftest import make_paying_customer, make_price
from stripe_simulator.tests.resource_types import problems_of_resource

Client = stripe.StripeClient


def invoice_of(client: Client, customer: stripe.Customer, amount: int, currency: str) -> stripe.Invoice:
    """A one-off invoice, final."""
    draft = client.v1.invoices.create(
        {"customer": customer.id, "auto_advance": False, "currency": currency.upper()}
    )
    client.v1.invoice_items.create(
        {"customer": customer.id, "invoice": draft.id, "amount": amount, "currency": currency}
    )
    return client.v1.invoices.finalize_invoice(draft.id)


def subscribe(client: Client, customer: stripe.Customer, currency: str, **params: Any) -> stripe.Subscription:
    price = make_price(client, 1000, currency=currency)
    given: Any = {"customer": customer.id, "items": [{"price": price.id}], **params}
    return client.v1.subscriptions.create(given)


def balances(invoice: stripe.Invoice) -> tuple[int, int | None, int]:
    return invoice.starting_balance, invoice.ending_balance, invoice.amount_due


@pytest.fixture
def with_credit(client: Client) -> stripe.Customer:
    """A customer with a credit of 3 dollars."""
    customer = make_paying_customer(client)
    invoice_of(client, customer, -300, "usd")
    return customer


def test_a_credit_pays_no_one_off_invoice_in_another_currency(
    client: Client, with_credit: stripe.Customer
) -> None:
    assert balances(invoice_of(client, with_credit, 1000, "eur")) == (0, 0, 1000)
    assert balances(invoice_of(client, with_credit, 1000, "usd")) == (-300, 0, 700)


def test_each_currency_has_a_balance_of_its_own(client: Client, with_credit: stripe.Customer) -> None:
    invoice_of(client, with_credit, -200, "eur")
    invoice_of(client, with_credit, -50, "usd")
    customer = client.v1.customers.retrieve(with_credit.id)
    assert problems_of_resource(customer) == []
    assert (customer.currency, customer.balance) == ("usd", -350)
    assert balances(invoice_of(client, with_credit, 1000, "eur")) == (-200, 0, 800)
    assert balances(invoice_of(client, with_credit, 1000, "usd")) == (-350, 0, 650)


def test_a_draft_shows_the_balance_of_its_currency(client: Client, with_credit: stripe.Customer) -> None:
    drafts = [
        client.v1.invoices.create({"customer": with_credit.id, "currency": currency})
        for currency in ("eur", "usd")
    ]
    assert [draft.starting_balance for draft in drafts] == [0, -300]


@pytest.mark.parametrize(("currency", "due"), [("eur", 1000), ("usd", 700)])
def test_a_first_invoice_is_paid_from_a_balance_of_its_currency_only(
    currency: str, due: int, client: Client, with_credit: stripe.Customer
) -> None:
    subscription = subscribe(client, with_credit, currency)
    first = client.v1.invoices.retrieve(str(subscription.latest_invoice))
    assert (first.amount_due, first.amount_paid) == (due, due)


@pytest.mark.parametrize(("currency", "due"), [("eur", 1000), ("usd", 900)])
def test_a_renewal_and_its_preview_are_paid_from_a_balance_of_their_currency_only(
    currency: str, due: int, client: Client, control: Control, with_credit: stripe.Customer
) -> None:
    subscription = subscribe(client, with_credit, currency)
    invoice_of(client, with_credit, -100, "usd")
    preview = client.v1.invoices.create_preview({"subscription": subscription.id})
    assert preview.amount_due == due
    control.advance(days=32)
    renewed = client.v1.subscriptions.retrieve(subscription.id)
    assert client.v1.invoices.retrieve(str(renewed.latest_invoice)).amount_due == due


@pytest.mark.parametrize(("currency", "due"), [("eur", 1000), ("usd", 700)])
def test_a_preview_of_a_new_subscription_takes_the_balance_of_its_currency(
    currency: str, due: int, client: Client, with_credit: stripe.Customer
) -> None:
    price = make_price(client, 1000, currency=currency)
    preview = client.v1.invoices.create_preview(
        {"customer": with_credit.id, "subscription_details": {"items": [{"price": price.id}]}}
    )
    assert preview.amount_due == due
    assert client.v1.customers.retrieve(with_credit.id).currency == "usd"


def test_a_preview_of_waiting_items_takes_the_balance_of_their_currency(
    client: Client, with_credit: stripe.Customer
) -> None:
    for currency in ("eur", "usd"):
        client.v1.invoice_items.create({"customer": with_credit.id, "amount": 1000, "currency": currency})
    due = [
        client.v1.invoices.create_preview({"customer": with_credit.id, "currency": currency}).amount_due
        for currency in ("EUR", "usd")
    ]
    assert due == [1000, 700]


def test_a_one_off_invoice_leaves_the_default_currency_and_a_subscription_sets_it(
    client: Client, with_credit: stripe.Customer
) -> None:
    invoice_of(client, with_credit, 1000, "eur")
    customer = client.v1.customers.retrieve(with_credit.id)
    assert (customer.currency, customer.balance) == ("usd", -300)
    subscribe(client, with_credit, "eur")
    customer = client.v1.customers.retrieve(with_credit.id)
    assert (customer.currency, customer.balance) == ("eur", 0)


def test_a_second_subscription_in_another_currency_is_refused_until_the_first_has_ended(
    client: Client, with_credit: stripe.Customer
) -> None:
    first = subscribe(client, with_credit, "usd")
    with pytest.raises(stripe.InvalidRequestError, match="You cannot combine currencies") as refused:
        subscribe(client, with_credit, "eur")
    assert "with currency usd." in str(refused.value)
    assert [one.id for one in client.v1.subscriptions.list({"customer": with_credit.id}).data] == [first.id]
    client.v1.subscriptions.cancel(first.id)
    assert subscribe(client, with_credit, "eur").currency == "eur"


def test_a_waiting_item_in_another_currency_refuses_a_subscription(
    client: Client, with_credit: stripe.Customer
) -> None:
    item = client.v1.invoice_items.create({"customer": with_credit.id, "amount": 1000, "currency": "usd"})
    with pytest.raises(stripe.InvalidRequestError, match="You cannot combine currencies"):
        subscribe(client, with_credit, "eur")
    client.v1.invoice_items.delete(item.id)
    assert subscribe(client, with_credit, "eur").currency == "eur"
