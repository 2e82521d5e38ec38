"""Which method an invoice is charged to, legacy sources among them, and invoices paid in parts."""

import pytest
import stripe

from stripe_simulator.control import Control
from stripe_simulator.tests.conftest import Receiver, make_paying_customer, make_price
from stripe_simulator.tests.resource_types import problems_of_resource
from stripe_simulator.tests.test_bank_debits import newest
from stripe_simulator.tests.test_credit_notes import opened

Client = stripe.StripeClient


@pytest.fixture
def customer(client: Client) -> stripe.Customer:
    return client.v1.customers.create({"name": "Acme"})


def add_source(client: Client, customer: stripe.Customer, token: str) -> str:
    source = client.v1.customers.payment_sources.create(customer.id, {"source": token})
    assert problems_of_resource(source) == []
    return str(source.id)


def charged(client: Client, customer: stripe.Customer) -> str | None:
    listed = client.v1.charges.list({"customer": customer.id})
    assert problems_of_resource(listed) == []
    return listed.data[0].payment_method


def test_the_first_source_is_the_default_and_is_charged(client: Client, customer: stripe.Customer) -> None:
    card = add_source(client, customer, "tok_visa")
    other = add_source(client, customer, "tok_mastercard")
    assert client.v1.customers.retrieve(customer.id).default_source == card
    client.v1.invoices.pay(opened(client, customer, 100).id)
    assert charged(client, customer) == card
    intent = newest(client, customer)[1]
    assert (intent.source, intent.payment_method) == (card, None)
    changed = client.v1.customers.update(customer.id, {"default_source": other})
    assert problems_of_resource(changed) == []
    client.v1.invoices.pay(opened(client, customer, 100).id)
    assert charged(client, customer) == other


def test_an_invoice_is_paid_with_the_source_that_is_named(client: Client, customer: stripe.Customer) -> None:
    add_source(client, customer, "tok_visa")
    other = add_source(client, customer, "tok_mastercard")
    assert client.v1.invoices.pay(opened(client, customer, 100).id, {"source": other}).status == "paid"
    assert charged(client, customer) == other
    with pytest.raises(stripe.InvalidRequestError, match="No such source"):
        client.v1.invoices.pay(opened(client, customer, 100).id, {"source": "card_of_nobody"})


def test_the_order_in_which_methods_pay(client: Client, customer: stripe.Customer) -> None:
    source, for_subscription = (
        add_source(client, customer, token) for token in ("tok_visa", "tok_mastercard")
    )
    price = make_price(client, 5000)
    made = client.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})
    assert charged(client, customer) == source
    default = client.v1.payment_methods.attach("pm_card_amex", {"customer": customer.id}).id
    client.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": default}})
    own = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id}).id

    def pays() -> str | None:
        (item,) = client.v1.subscriptions.retrieve(made.id)["items"].data
        client.v1.subscriptions.update(
            made.id,
            {
                "items": [{"id": item.id, "quantity": (item.quantity or 0) + 1}],
                "proration_behavior": "always_invoice",
            },
        )
        return charged(client, customer)

    assert pays() == default
    client.v1.subscriptions.update(made.id, {"default_source": for_subscription})
    assert pays() == for_subscription
    client.v1.subscriptions.update(made.id, {"default_payment_method": own})
    assert pays() == own


def test_a_bank_account_source_is_debited(
    client: Client, control: Control, customer: stripe.Customer
) -> None:
    add_source(client, customer, "btok_us_verified")
    client.v1.invoices.pay(opened(client, customer, 100).id)
    assert newest(client, customer)[1].status == "processing"
    control.advance(days=5)
    assert newest(client, customer)[0].status == "paid"


def test_a_source_made_first_is_attached_and_taken_away(client: Client, customer: stripe.Customer) -> None:
    made = client.v1.sources.create({"type": "card", "token": "tok_visa"})
    assert problems_of_resource(made) == []
    add_source(client, customer, made.id)
    assert client.v1.invoices.pay(opened(client, customer, 100).id).status == "paid"
    listed = client.v1.customers.retrieve(customer.id, {"expand": ["sources"]})
    assert problems_of_resource(listed) == []
    client.v1.customers.payment_sources.delete(customer.id, made.id)
    assert client.v1.customers.retrieve(customer.id).default_source is None


def test_an_invoice_is_paid_in_parts(client: Client) -> None:
    customer = make_paying_customer(client)
    (card,) = client.v1.customers.payment_methods.list(customer.id).data
    invoice = opened(client, customer, 5000)
    part = client.v1.payment_intents.create(
        {
            "amount": 2000,
            "currency": "usd",
            "customer": customer.id,
            "payment_method": card.id,
            "confirm": True,
        }
    )
    assert problems_of_resource(part) == []
    partly = client.v1.invoices.attach_payment(invoice.id, {"payment_intent": part.id})
    assert problems_of_resource(partly) == []
    assert (partly.status, partly.amount_paid, partly.amount_remaining) == ("open", 2000, 3000)
    whole = client.v1.invoices.pay(invoice.id)
    assert (whole.status, whole.amount_paid, whole.amount_remaining) == ("paid", 5000, 0)
    payments = client.v1.invoice_payments.list({"invoice": invoice.id})
    assert problems_of_resource(payments) == []
    assert [(one.is_default, one.status, one.amount_paid) for one in payments.data] == [
        (False, "paid", 2000),
        (True, "paid", 3000),
    ]
    with pytest.raises(stripe.InvalidRequestError, match="open"):
        client.v1.invoices.attach_payment(invoice.id, {"payment_intent": part.id})


def test_the_rest_is_paid_out_of_band(client: Client) -> None:
    customer = make_paying_customer(client)
    invoice = client.v1.invoices.pay(opened(client, customer, 5000).id, {"paid_out_of_band": True})
    assert problems_of_resource(invoice) == []
    assert (invoice.amount_paid, invoice.amount_paid_off_stripe, invoice.amount_remaining) == (5000, 5000, 0)
    (payment,) = client.v1.invoice_payments.list({"invoice": invoice.id}).data
    assert payment.status == "canceled"


def test_an_uncollectible_invoice_can_still_be_paid(client: Client) -> None:
    invoice = opened(client, make_paying_customer(client), 3300)
    given_up = client.v1.invoices.mark_uncollectible(invoice.id)
    assert (given_up.status, given_up.amount_remaining) == ("uncollectible", 3300)
    paid = client.v1.invoices.pay(invoice.id)
    assert (paid.status, paid.amount_paid) == ("paid", 3300)
    assert paid.status_transitions.marked_uncollectible_at is not None


def test_sending_is_for_invoices_that_are_sent(client: Client, control: Control, receiver: Receiver) -> None:
    customer = client.v1.customers.create({"name": "Acme"})
    draft = client.v1.invoices.create(
        {
            "customer": customer.id,
            "collection_method": "send_invoice",
            "days_until_due": 14,
            "auto_advance": False,
        }
    )
    client.v1.invoice_items.create(
        {"customer": customer.id, "invoice": draft.id, "amount": 100, "currency": "usd"}
    )
    assert client.v1.invoices.send_invoice(draft.id).status == "open"
    client.v1.invoices.send_invoice(draft.id)
    assert control.wait_for_webhooks()
    assert receiver.types.count("invoice.sent") == 2
    with pytest.raises(stripe.InvalidRequestError, match="send_invoice"):
        client.v1.invoices.send_invoice(opened(client, customer, 100).id)
