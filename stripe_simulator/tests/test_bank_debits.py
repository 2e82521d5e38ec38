"""Bank debits: under way for days, then paid or failed by the test account's number; and Link."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from stripe_simulator.control import Control
from stripe_simulator.tests.conftest import Receiver, make_price
from stripe_simulator.tests.resource_types import problems_of_resource

Client = stripe.StripeClient
GOOD_IBAN, POOR_IBAN = "DE89 3704 0044 0532 0130 00", "DE61370400440002222227"


def debited(client: Client, kind: str = "sepa_debit", **details: str) -> stripe.Customer:
    """A customer who pays by debit of a bank account."""
    given: Any = {"type": kind, kind: details or {"iban": GOOD_IBAN}, "billing_details": {"name": "Acme"}}
    method = client.v1.payment_methods.create(given)
    customer = client.v1.customers.create({"name": "Acme"})
    attached = client.v1.payment_methods.attach(method.id, {"customer": customer.id})
    assert problems_of_resource(attached) == []
    return client.v1.customers.update(
        customer.id, {"invoice_settings": {"default_payment_method": method.id}}
    )


def subscribe(client: Client, customer: stripe.Customer, currency: str = "eur") -> stripe.Subscription:
    price = make_price(client, 5000, currency=currency)
    return client.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})


def newest(client: Client, customer: stripe.Customer) -> tuple[stripe.Invoice, stripe.PaymentIntent]:
    latest = client.v1.invoices.list({"customer": customer.id}).data[0]
    invoice = client.v1.invoices.retrieve(latest.id, {"expand": ["payments.data.payment.payment_intent"]})
    assert problems_of_resource(invoice) == []
    assert invoice.payments is not None
    intent = invoice.payments.data[0].payment.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    return invoice, intent


@pytest.mark.slow
def test_a_debit_is_under_way_for_days_and_then_pays(client: Client, control: Control) -> None:
    customer = debited(client)
    made = subscribe(client, customer)
    invoice, intent = newest(client, customer)
    assert (invoice.status, invoice.attempt_count, invoice.amount_remaining) == ("open", 1, 5000)
    assert (intent.status, invoice.next_payment_attempt) == ("processing", None)
    assert made.status == "active"
    charge = client.v1.charges.retrieve(str(intent.latest_charge))
    assert problems_of_resource(charge) == []
    assert (charge.status, charge.paid) == ("pending", False)
    control.advance(days=4)
    assert newest(client, customer)[1].status == "processing"
    control.advance(days=1, seconds=1)
    invoice, intent = newest(client, customer)
    assert (invoice.status, invoice.amount_paid, intent.status) == ("paid", 5000, "succeeded")


def test_a_failed_debit_tells_why(client: Client, control: Control) -> None:
    customer = debited(client, iban=POOR_IBAN)
    made = subscribe(client, customer)
    control.advance(days=6)
    invoice, intent = newest(client, customer)
    assert (invoice.status, invoice.attempt_count) == ("open", 1)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.code == "insufficient_funds"
    assert client.v1.subscriptions.retrieve(made.id).status == "past_due"


def test_a_renewals_failed_debit_is_not_tried_again_by_itself(client: Client, control: Control) -> None:
    customer = debited(client)
    subscribe(client, customer)
    (method,) = client.v1.customers.payment_methods.list(customer.id).data
    control.advance(days=6)
    control.refuse_charges(method.id, "account_closed")
    control.advance(days=32)
    invoice, intent = newest(client, customer)
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.code == "account_closed"
    assert (invoice.auto_advance, invoice.attempt_count, invoice.next_payment_attempt) == (True, 1, None)


def test_events_tell_of_a_failure_only_once_it_is_one(
    client: Client, control: Control, receiver: Receiver
) -> None:
    customer = debited(
        client, "us_bank_account", account_number="000111111113", account_holder_type="company"
    )
    subscribe(client, customer, "usd")
    assert control.wait_for_webhooks()
    assert "payment_intent.processing" in receiver.types
    assert "charge.pending" in receiver.types
    assert not {"invoice.payment_failed", "invoice.paid"} & set(receiver.types)
    receiver.events.clear()
    control.advance(days=5)
    assert control.wait_for_webhooks()
    assert receiver.types == [
        "charge.failed",
        "payment_intent.payment_failed",
        "invoice.payment_failed",
        "customer.subscription.updated",
        "customer.updated",
    ]
    listed = client.v1.events.list({"limit": 100})
    assert problems_of_resource(listed) == []


def test_an_invoice_under_way_is_neither_paid_again_nor_called_off(client: Client) -> None:
    customer = debited(client, "bacs_debit", account_number="00012345", sort_code="108800")
    subscribe(client, customer, "gbp")
    invoice, _ = newest(client, customer)
    invoices = client.v1.invoices
    acts: list[Callable[[], object]] = [
        lambda: invoices.pay(invoice.id),
        lambda: invoices.pay(invoice.id, {"paid_out_of_band": True}),
        lambda: invoices.void_invoice(invoice.id),
    ]
    for act in acts:
        with pytest.raises(stripe.InvalidRequestError, match="processing"):
            act()
    left, intent = newest(client, customer)
    assert (left.status, left.attempt_count, intent.status) == ("open", 1, "processing")


def test_another_way_pays_after_a_failed_debit(client: Client, control: Control) -> None:
    customer = debited(client, "bacs_debit", account_number="33333335", sort_code="108800")
    made = subscribe(client, customer, "gbp")
    control.advance(days=5)
    card = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    invoice, _ = newest(client, customer)
    assert client.v1.invoices.pay(invoice.id, {"payment_method": card.id}).status == "paid"
    assert client.v1.subscriptions.retrieve(made.id).status == "active"


def test_only_test_accounts_are_known(client: Client) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_methods.create({"type": "sepa_debit", "sepa_debit": {"iban": "DE1"}})
    assert (refused.value.code, refused.value.param) == ("parameter_not_simulated", "sepa_debit[iban]")


def test_link_has_no_last_digits(client: Client) -> None:
    method = client.v1.payment_methods.create({"type": "link", "billing_details": {"email": "ada@acme.test"}})
    assert problems_of_resource(method) == []
    customer = client.v1.customers.create({"name": "Acme"})
    client.v1.payment_methods.attach(method.id, {"customer": customer.id})
    client.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method.id}})
    assert subscribe(client, customer).status == "active"
    listed = client.v1.charges.list({"customer": customer.id})
    assert problems_of_resource(listed) == []
    (charge,) = listed.data
    assert charge.payment_method_details is not None
    assert charge.payment_method_details.type == "link"
