"""How invoices are paid: payment intents, charges and invoice payments."""

from typing import Any

from stripe_simulator.cards import charges_fail
from stripe_simulator.errors import CardDeclinedError
from stripe_simulator.simulator import Simulator, new_id

Json = dict[str, Any]


def charge_invoice(simulator: Simulator, invoice: Json, method: Json) -> CardDeclinedError | None:
    """Charge what remains of an invoice to a card. Returns the refusal if the card is declined."""
    payment = _open_payment(simulator, invoice) or _start_payment(simulator, invoice)
    intent = simulator.find("payment_intent", payment["payment"]["payment_intent"])
    failed = charges_fail(method["card"]["fingerprint"])
    charge = _make_charge(simulator, intent, method, failed=failed)
    intent["latest_charge"] = charge["id"]
    if failed:
        refusal = CardDeclinedError(charge=charge["id"], payment_method=method)
        intent |= {
            "status": "requires_payment_method",
            "payment_method": None,
            "last_payment_error": refusal.error,
        }
        simulator.save(intent)
        simulator.emit("payment_intent.payment_failed", intent)
        return refusal
    intent |= {
        "status": "succeeded",
        "payment_method": method["id"],
        "amount_received": intent["amount"],
        "last_payment_error": None,
    }
    simulator.save(intent)
    simulator.emit("payment_intent.succeeded", intent)
    payment |= {
        "status": "paid",
        "amount_paid": payment["amount_requested"],
        "status_transitions": {"canceled_at": None, "paid_at": simulator.clock.now()},
    }
    simulator.save(payment)
    simulator.emit("invoice_payment.paid", payment)
    return None


def cancel_payment(simulator: Simulator, invoice: Json) -> None:
    """Give up an invoice's unpaid payment, as voiding the invoice does."""
    payment = _open_payment(simulator, invoice)
    if payment is None:
        return
    now = simulator.clock.now()
    intent = simulator.find("payment_intent", payment["payment"]["payment_intent"])
    simulator.save({**intent, "status": "canceled", "canceled_at": now})
    simulator.save(
        {**payment, "status": "canceled", "status_transitions": {"canceled_at": now, "paid_at": None}}
    )


def _open_payment(simulator: Simulator, invoice: Json) -> Json | None:
    found = simulator.store.select(
        "invoice_payment",
        where="AND json_extract(body, '$.invoice') = ? AND json_extract(body, '$.status') = 'open'",
        values=(invoice["id"],),
    )
    return found[0] if found else None


def _start_payment(simulator: Simulator, invoice: Json) -> Json:
    intent = simulator.new(
        "payment_intent",
        "pi",
        amount=invoice["amount_remaining"],
        amount_capturable=0,
        amount_received=0,
        application=None,
        application_fee_amount=None,
        automatic_payment_methods=None,
        canceled_at=None,
        cancellation_reason=None,
        capture_method="automatic",
        client_secret=None,
        confirmation_method="automatic",
        currency=invoice["currency"],
        customer=invoice["customer"],
        customer_account=None,
        description=f"Payment for Invoice {invoice['number']}",
        last_payment_error=None,
        latest_charge=None,
        metadata={},
        next_action=None,
        on_behalf_of=None,
        payment_method=None,
        payment_method_configuration_details=None,
        payment_method_options={},
        payment_method_types=["card"],
        processing=None,
        receipt_email=None,
        review=None,
        setup_future_usage=None,
        shipping=None,
        statement_descriptor=None,
        statement_descriptor_suffix=None,
        status="requires_payment_method",
        transfer_data=None,
        transfer_group=None,
    )
    intent["client_secret"] = new_id(f"{intent['id']}_secret")
    simulator.save(intent)
    simulator.emit("payment_intent.created", intent)
    payment = simulator.new(
        "invoice_payment",
        "inpay",
        amount_paid=None,
        amount_requested=invoice["amount_remaining"],
        currency=invoice["currency"],
        invoice=invoice["id"],
        is_default=True,
        payment={"type": "payment_intent", "payment_intent": intent["id"]},
        status="open",
        status_transitions={"canceled_at": None, "paid_at": None},
    )
    return simulator.save(payment)


def _make_charge(simulator: Simulator, intent: Json, method: Json, *, failed: bool) -> Json:
    card = {
        name: method["card"][name]
        for name in ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
    }
    charge = simulator.new(
        "charge",
        "ch",
        amount=intent["amount"],
        amount_captured=0 if failed else intent["amount"],
        amount_refunded=0,
        application=None,
        application_fee=None,
        application_fee_amount=None,
        balance_transaction=None,
        billing_details=method["billing_details"],
        calculated_statement_descriptor="SIMULATOR",
        captured=not failed,
        currency=intent["currency"],
        customer=intent["customer"],
        description=intent["description"],
        disputed=False,
        failure_balance_transaction=None,
        failure_code="card_declined" if failed else None,
        failure_message="Your card was declined." if failed else None,
        fraud_details={},
        metadata={},
        on_behalf_of=None,
        outcome=_outcome(failed=failed),
        paid=not failed,
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details={"type": "card", "card": {**card, "network": card["brand"], "wallet": None}},
        receipt_email=None,
        receipt_number=None,
        receipt_url=None,
        refunded=False,
        review=None,
        shipping=None,
        source_transfer=None,
        statement_descriptor=None,
        statement_descriptor_suffix=None,
        status="failed" if failed else "succeeded",
        transfer_data=None,
        transfer_group=None,
    )
    simulator.save(charge)
    simulator.emit("charge.failed" if failed else "charge.succeeded", charge)
    return charge


def _outcome(*, failed: bool) -> Json:
    return {
        "advice_code": "try_again_later" if failed else None,
        "network_advice_code": None,
        "network_decline_code": "01" if failed else None,
        "network_status": "declined_by_network" if failed else "approved_by_network",
        "reason": "generic_decline" if failed else None,
        "risk_level": "normal",
        "risk_score": 32,
        "seller_message": (
            "The bank did not return any further details with this decline."
            if failed
            else "Payment complete."
        ),
        "type": "issuer_declined" if failed else "authorized",
    }
