"""How invoices are paid: invoice payments, each with a payment intent (https://docs.stripe.com/api/invoice-payment)."""

from typing import Any

from stripe_simulator.errors import StripeError
from stripe_simulator.intents import confirm, make_intent
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]


def charge_invoice(simulator: Simulator, invoice: Json, method: Json, *, on_session: bool = False) -> Json:
    """Charge what remains of an invoice. Returns the payment intent, whose status tells what came of it."""
    payment = open_payment(simulator, invoice) or start_payment(simulator, invoice)
    return confirm(simulator, intent_of(simulator, payment), method, on_session=on_session)


def start_payment(simulator: Simulator, invoice: Json) -> Json:
    """The invoice's default payment, of all that remains."""
    intent = make_intent(
        simulator,
        amount=invoice["amount_remaining"],
        currency=invoice["currency"],
        customer=invoice["customer"],
        description=f"Payment for Invoice {invoice['number']}",
    )
    return add_payment(simulator, invoice, intent, is_default=True)


def add_payment(simulator: Simulator, invoice: Json, intent: Json, *, is_default: bool) -> Json:
    payment = simulator.new(
        "invoice_payment",
        "inpay",
        amount_paid=None,
        amount_requested=intent["amount"],
        currency=invoice["currency"],
        invoice=invoice["id"],
        is_default=is_default,
        payment={"type": "payment_intent", "payment_intent": intent["id"]},
        status="open",
        status_transitions={"canceled_at": None, "paid_at": None},
    )
    return simulator.save(payment)


def mark_payment_paid(simulator: Simulator, payment: Json) -> None:
    payment |= {
        "status": "paid",
        "amount_paid": payment["amount_requested"],
        "status_transitions": {"canceled_at": None, "paid_at": simulator.clock.now()},
    }
    simulator.save(payment)
    simulator.emit("invoice_payment.paid", payment)


def cancel_payment(simulator: Simulator, invoice: Json) -> None:
    """Give up an invoice's unpaid payment, as voiding does. Raises StripeError if a bank is at it."""
    payment = open_payment(simulator, invoice)
    if payment is None:
        return
    refuse_processing(simulator, invoice)
    now = simulator.clock.now()
    intent = intent_of(simulator, payment)
    intent |= {"status": "canceled", "canceled_at": now, "next_action": None}
    simulator.save(intent)
    simulator.emit("payment_intent.canceled", intent)
    simulator.save(
        {**payment, "status": "canceled", "status_transitions": {"canceled_at": now, "paid_at": None}}
    )


def fit_payment(simulator: Simulator, invoice: Json) -> None:
    """Let the invoice's unpaid payment ask for what remains now."""
    payment = open_payment(simulator, invoice)
    if payment is None:
        return
    simulator.save({**intent_of(simulator, payment), "amount": invoice["amount_remaining"]})
    simulator.save({**payment, "amount_requested": invoice["amount_remaining"]})


def refuse_processing(simulator: Simulator, invoice: Json) -> None:
    """Raises StripeError while a payment of the invoice is under way at a bank."""
    payment = open_payment(simulator, invoice)
    if payment and intent_of(simulator, payment)["status"] == "processing":
        raise StripeError(
            "This invoice has a payment that is processing. Wait until it succeeds or fails.",
            code="payment_intent_unexpected_state",
        )


def open_payment(simulator: Simulator, invoice: Json) -> Json | None:
    """The invoice's payment that isn't paid or given up, if it has one."""
    found = simulator.store.select(
        "invoice_payment",
        where="AND json_extract(body, '$.invoice') = ? AND json_extract(body, '$.status') = 'open'",
        values=(invoice["id"],),
    )
    return found[0] if found else None


def payment_of(simulator: Simulator, intent: Json) -> Json | None:
    """The invoice payment that a payment intent belongs to."""
    found = simulator.store.select(
        "invoice_payment",
        where="AND json_extract(body, '$.payment.payment_intent') = ?",
        values=(intent["id"],),
    )
    return found[0] if found else None


def intent_of(simulator: Simulator, payment: Json) -> Json:
    return simulator.find("payment_intent", payment["payment"]["payment_intent"])


def paid_charges(simulator: Simulator, invoice: Json) -> list[Json]:
    """The charges that paid an invoice, the latest first."""
    return [charge_of(simulator, payment) for payment in paid_payments(simulator, invoice)]


def paid_payments(simulator: Simulator, invoice: Json) -> list[Json]:
    """The invoice's payments that were made, the latest first."""
    return simulator.store.select(
        "invoice_payment",
        where="AND json_extract(body, '$.invoice') = ? AND json_extract(body, '$.status') = 'paid'",
        values=(invoice["id"],),
    )


def charge_of(simulator: Simulator, payment: Json) -> Json:
    return simulator.find("charge", intent_of(simulator, payment)["latest_charge"])
