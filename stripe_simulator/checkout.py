"""What becomes of a Checkout session when nobody is at its page."""

from typing import Any

from stripe_simulator.payments import payment_of
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]


def expire_session(simulator: Simulator, session: Json) -> Json:
    session["status"] = "expired"
    simulator.save(session)
    simulator.emit("checkout.session.expired", session)
    return session


def follow_payment(simulator: Simulator, intent: Json) -> None:
    """Tell of a bank debit that ended after its Checkout session had completed."""
    payment = payment_of(simulator, intent)
    invoice = payment["invoice"] if payment else ""
    for session in simulator.store.select(
        "checkout.session",
        where="AND json_extract(body, '$.invoice') = ? AND json_extract(body, '$.payment_status') = 'unpaid'",
        values=(invoice,),
    ):
        if intent["status"] == "succeeded":
            session["payment_status"] = "paid"
            simulator.save(session)
            simulator.emit("checkout.session.async_payment_succeeded", session)
        else:
            simulator.emit("checkout.session.async_payment_failed", session)
