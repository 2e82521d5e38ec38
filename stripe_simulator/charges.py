"""Charges (https://docs.stripe.com/api/charges)."""

from typing import Any

from stripe_simulator.methods import charge_details, is_debit
from stripe_simulator.outcomes import Refusal
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]


def make_charge(simulator: Simulator, intent: Json, method: Json) -> Json:
    """A charge whose end isn't known yet; not saved."""
    return simulator.new(
        "charge",
        "py" if is_debit(method) else "ch",
        amount=intent["amount"],
        amount_captured=intent["amount"],
        amount_refunded=0,
        application=None,
        application_fee=None,
        application_fee_amount=None,
        balance_transaction=None,
        billing_details=method["billing_details"],
        calculated_statement_descriptor="SIMULATOR",
        captured=True,
        currency=intent["currency"],
        customer=intent["customer"],
        description=intent["description"],
        disputed=False,
        failure_balance_transaction=None,
        failure_code=None,
        failure_message=None,
        fraud_details={},
        metadata={},
        on_behalf_of=None,
        outcome=_outcome("pending", None),
        paid=False,
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details=charge_details(method),
        receipt_email=None,
        receipt_number=None,
        receipt_url=None,
        refunded=False,
        review=None,
        shipping=None,
        source=None,
        source_transfer=None,
        statement_descriptor=None,
        statement_descriptor_suffix=None,
        status="pending",
        transfer_data=None,
        transfer_group=None,
    )


def end_charge(simulator: Simulator, charge: Json, refusal: Refusal | None) -> Json:
    """Save what the bank said of the charge."""
    if refusal is None:
        charge |= {"status": "succeeded", "paid": True, "outcome": _outcome("succeeded", None)}
        return _told(simulator, charge, "charge.succeeded")
    charge |= {
        "status": "failed",
        "amount_captured": 0,
        "captured": False,
        "paid": False,
        "failure_code": refusal.code,
        "failure_message": refusal.message,
        "outcome": _outcome("failed", refusal),
    }
    return _told(simulator, charge, "charge.failed")


def await_charge(simulator: Simulator, charge: Json) -> Json:
    """Save a charge that the bank will answer in some days."""
    return _told(simulator, charge, "charge.pending")


def _told(simulator: Simulator, charge: Json, event: str) -> Json:
    simulator.save(charge)
    simulator.emit(event, charge)
    return charge


def _outcome(status: str, refusal: Refusal | None) -> Json:
    if refusal is None:
        network = "approved_by_network"
        seller_message, kind = "Payment complete.", "authorized"
        if status == "pending":
            seller_message = "Payment is pending."
    else:
        network = "declined_by_network"
        seller_message = "The bank did not return any further details with this decline."
        kind = "issuer_declined"
    return {
        "advice_code": "try_again_later" if refusal else None,
        "network_advice_code": None,
        "network_decline_code": "01" if refusal else None,
        "network_status": network,
        "reason": (refusal.decline_code or refusal.code) if refusal else None,
        "risk_level": "normal",
        "risk_score": 32,
        "seller_message": seller_message,
        "type": kind,
    }
