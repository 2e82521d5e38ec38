"""How charges are refunded (https://docs.stripe.com/refunds)."""

from typing import Any

from stripe_simulator.due import DAY
from stripe_simulator.errors import StripeError
from stripe_simulator.money import money
from stripe_simulator.outcomes import outcome_of
from stripe_simulator.simulator import Simulator
from stripe_simulator.sources import chargeable

Json = dict[str, Any]

REFUND_DAYS = 5
"""After how many days a bank says what became of a refund that takes time."""


def refund_charge(
    simulator: Simulator, charge: Json, *, amount: int | None, reason: str | None, metadata: Json
) -> Json:
    """Give back all that is left of a charge, or an amount of it, in minor units.

    Raises StripeError if the charge hasn't that much left.
    """
    left = charge["amount_captured"] - charge["amount_refunded"] if charge["paid"] else 0
    asked = left if amount is None else amount
    if left == 0:
        refunded = charge["paid"]
        raise StripeError(
            f"Charge {charge['id']} has {'already been refunded' if refunded else 'not been paid'}.",
            code="charge_already_refunded" if refunded else "charge_not_refundable",
        )
    if not 0 < asked <= left:
        raise StripeError(
            f"Refund amount ({money(asked, charge['currency'])}) is greater than unrefunded amount on charge "
            f"({money(left, charge['currency'])})"
            if asked > 0
            else "Invalid positive integer",
            param="amount",
        )
    refund = _make(simulator, charge, asked, reason=reason, metadata=metadata)
    simulator.save(refund)
    simulator.emit("refund.created", refund)
    _count(simulator, charge, asked)
    simulator.emit("charge.refunded", charge)
    return refund


def settle_refund(simulator: Simulator, refund: Json) -> None:
    """The bank has decided a refund: it arrived, or it came back."""
    charge = simulator.find("charge", refund["charge"])
    fails = outcome_of(chargeable(simulator, charge["payment_method"])).refund == "fails"
    refund |= {"status": "failed" if fails else "succeeded", "pending_reason": None, "simulated": {}}
    if fails:
        refund["failure_reason"] = "expired_or_canceled_card"
        _count(simulator, charge, -refund["amount"])
    simulator.save(refund)
    if fails:
        simulator.emit("refund.failed", refund)
    else:
        simulator.emit("refund.updated", refund)
    simulator.emit("charge.refund.updated", refund)


def _make(simulator: Simulator, charge: Json, amount: int, *, reason: str | None, metadata: Json) -> Json:
    course = outcome_of(chargeable(simulator, charge["payment_method"])).refund
    is_card = charge["payment_method_details"]["type"] == "card"
    refund = simulator.new(
        "refund",
        "re" if charge["id"].startswith("ch_") else "pyr",
        amount=amount,
        balance_transaction=None,
        charge=charge["id"],
        currency=charge["currency"],
        customer=charge["customer"],
        customer_account=None,
        destination_details={"card": {"type": "refund"}, "type": "card"} if is_card else None,
        metadata=metadata,
        payment_intent=charge["payment_intent"],
        payment_method=charge["payment_method"],
        pending_reason="processing" if course == "takes time" else None,
        reason=reason,
        receipt_number=None,
        source_transfer_reversal=None,
        status="pending" if course == "takes time" else "succeeded",
        transfer_reversal=None,
        simulated={} if course == "succeeds" else {"settles_at": simulator.clock.now() + REFUND_DAYS * DAY},
    )
    del refund["livemode"]
    return refund


def _count(simulator: Simulator, charge: Json, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    simulator.save(charge)
