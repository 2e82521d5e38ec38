"""Credit notes before and after payment, refunds with and without them."""

from typing import Any

import pytest
import stripe

from stripe_simulator.control import Control
from stripe_simulator.tests.conftest import Receiver, make_paying_customer
from stripe_simulator.tests.resource_types import problems_of_resource
from stripe_simulator.tests.test_invoices import draft_of

Client = stripe.StripeClient


def opened(client: Client, customer: stripe.Customer, *amounts: int) -> stripe.Invoice:
    return client.v1.invoices.finalize_invoice(draft_of(client, customer, *amounts).id)


def paid(client: Client, card: str = "pm_card_visa", amount: int = 5000) -> stripe.Invoice:
    invoice = opened(client, make_paying_customer(client, card), amount)
    return client.v1.invoices.pay(invoice.id)


def noted(client: Client, invoice: stripe.Invoice, **params: Any) -> stripe.CreditNote:
    given: Any = {"invoice": invoice.id, **params}
    note = client.v1.credit_notes.create(given)
    assert problems_of_resource(note) == []
    return note


def amounts(invoice: stripe.Invoice) -> tuple[int, int, int, int, int]:
    return (
        invoice.total,
        invoice.amount_due,
        invoice.amount_remaining,
        invoice.pre_payment_credit_notes_amount,
        invoice.post_payment_credit_notes_amount,
    )


def test_before_payment_less_is_due_and_charged(client: Client) -> None:
    invoice = opened(client, make_paying_customer(client), 5000)
    note = noted(client, invoice, amount=1500, reason="order_change", memo="Fewer seats")
    assert (note.type, note.pre_payment_amount, note.number) == (
        "pre_payment",
        1500,
        f"{invoice.number}-CN-01",
    )
    left = client.v1.invoices.retrieve(invoice.id)
    assert amounts(left) == (5000, 3500, 3500, 1500, 0)
    settled = client.v1.invoices.pay(invoice.id)
    assert problems_of_resource(settled) == []
    assert (settled.amount_paid, settled.amount_remaining) == (3500, 0)
    (charge,) = client.v1.charges.list({"customer": str(invoice.customer)}).data
    assert charge.amount == 3500


def test_a_note_of_all_that_is_due_pays_the_invoice(
    client: Client, control: Control, receiver: Receiver
) -> None:
    invoice = opened(client, make_paying_customer(client), 5000)
    noted(client, invoice, amount=5000)
    left = client.v1.invoices.retrieve(invoice.id)
    assert (left.status, left.amount_paid, left.amount_due) == ("paid", 0, 0)
    assert control.wait_for_webhooks()
    assert {"credit_note.created", "invoice.paid", "payment_intent.canceled"} <= set(receiver.types)


def test_a_voided_note_is_due_again(client: Client) -> None:
    invoice = opened(client, make_paying_customer(client), 5000)
    note = noted(client, invoice, amount=1500)
    voided = client.v1.credit_notes.void_credit_note(note.id)
    assert problems_of_resource(voided) == []
    assert voided.status == "void"
    assert amounts(client.v1.invoices.retrieve(invoice.id)) == (5000, 5000, 5000, 0, 0)
    assert client.v1.invoices.pay(invoice.id).amount_paid == 5000


def test_after_payment_a_note_refunds_credits_or_tells_of_both(client: Client) -> None:
    invoice = paid(client)
    with pytest.raises(stripe.InvalidRequestError, match="must equal"):
        noted(client, invoice, amount=3000)
    note = noted(client, invoice, amount=3000, refund_amount=1000, credit_amount=1500, out_of_band_amount=500)
    assert (note.type, note.post_payment_amount) == ("post_payment", 3000)
    after = client.v1.invoices.retrieve(invoice.id)
    assert (after.status, after.amount_paid) == ("paid", 5000)
    assert amounts(after) == (5000, 5000, 0, 0, 3000)
    (charge,) = client.v1.charges.list({"customer": str(invoice.customer)}).data
    assert (charge.amount_refunded, charge.refunded) == (1000, False)
    assert client.v1.customers.retrieve(str(invoice.customer)).balance == -1500
    listed = client.v1.customers.balance_transactions.list(str(invoice.customer))
    assert problems_of_resource(listed) == []
    assert [(one.type, one.amount, one.ending_balance) for one in listed.data] == [
        ("credit_note", -1500, -1500)
    ]
    with pytest.raises(stripe.InvalidRequestError, match="isn't credited"):
        noted(client, invoice, amount=2001, refund_amount=2001)


def test_a_line_is_credited_by_its_quantity(client: Client) -> None:
    invoice = paid(client)
    (line,) = invoice.lines.data
    note = noted(
        client,
        invoice,
        lines=[{"type": "invoice_line_item", "invoice_line_item": line.id, "quantity": 1}],
        refund_amount=5000,
    )
    (credited,) = note.lines.data
    assert (credited.amount, credited.invoice_line_item, note.total) == (5000, line.id, 5000)


def test_a_preview_changes_nothing(client: Client) -> None:
    invoice = opened(client, make_paying_customer(client), 5000)
    assert client.v1.credit_notes.preview({"invoice": invoice.id, "amount": 500}).total == 500
    assert client.v1.credit_notes.list({"invoice": invoice.id}).data == []


def test_a_draft_or_void_invoice_has_no_notes(client: Client) -> None:
    customer = make_paying_customer(client)
    void = client.v1.invoices.void_invoice(opened(client, customer, 100).id)
    for invoice in (draft_of(client, customer, 100), void):
        with pytest.raises(stripe.InvalidRequestError):
            noted(client, invoice, amount=100)


def test_a_refund_of_itself_leaves_the_invoice_paid(
    client: Client, control: Control, receiver: Receiver
) -> None:
    invoice = paid(client)
    (charge,) = client.v1.charges.list({"customer": str(invoice.customer)}).data
    part = client.v1.refunds.create({"charge": charge.id, "amount": 2000})
    assert problems_of_resource(part) == []
    assert part.status == "succeeded"
    rest = client.v1.refunds.create({"payment_intent": str(charge.payment_intent)})
    assert rest.amount == 3000
    assert client.v1.charges.retrieve(charge.id).refunded
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"charge": charge.id})
    assert refused.value.code == "charge_already_refunded"
    after = client.v1.invoices.retrieve(invoice.id)
    assert (after.status, after.amount_paid, after.post_payment_credit_notes_amount) == ("paid", 5000, 0)
    assert control.wait_for_webhooks()
    assert receiver.types.count("refund.created") == 2
    assert receiver.types.count("charge.refunded") == 2


@pytest.mark.parametrize(
    ("card", "before", "after", "refunded"),
    [
        ("pm_card_pendingRefund", "pending", "succeeded", 5000),
        ("pm_card_refundFail", "succeeded", "failed", 0),
    ],
)
def test_a_refund_can_take_days_and_can_fail(
    card: str, before: str, after: str, refunded: int, client: Client, control: Control, receiver: Receiver
) -> None:
    invoice = paid(client, card)
    (charge,) = client.v1.charges.list({"customer": str(invoice.customer)}).data
    made = client.v1.refunds.create({"charge": charge.id})
    assert problems_of_resource(made) == []
    assert made.status == before
    control.advance(days=6)
    ended = client.v1.refunds.retrieve(made.id)
    assert problems_of_resource(ended) == []
    assert ended.status == after
    assert client.v1.charges.retrieve(charge.id).amount_refunded == refunded
    assert control.wait_for_webhooks()
    assert ("refund.failed" in receiver.types) == (after == "failed")
    assert problems_of_resource(client.v1.events.list({"limit": 100})) == []
