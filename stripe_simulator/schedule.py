"""What time alone does: renewals, invoices that finalize and are tried again, sessions that expire."""

import threading
import traceback
from typing import Any

from stripe_simulator.checkout import expire_session, follow_payment
from stripe_simulator.collection import attempt_payment, mark_overdue, payment_method_for, settle_payment
from stripe_simulator.discounts import end_redemption
from stripe_simulator.refunding import settle_refund
from stripe_simulator.registers import settle_verification
from stripe_simulator.simulator import Simulator
from stripe_simulator.subscribing import advance_subscription, collect, expire_subscription

Json = dict[str, Any]

SETTLEMENTS = {"refund": settle_refund, "tax_id": settle_verification}


def move_clock(simulator: Simulator, timestamp: int) -> int:
    """Set the clock, and do all that falls due until then, in its order. Returns how many steps were due."""
    with simulator.store.lock:
        if timestamp < simulator.clock.now():
            with simulator.store.transaction():
                simulator.clock.set(timestamp)
            return 0
        steps = run_due(simulator, timestamp)
        with simulator.store.transaction():
            simulator.clock.set(timestamp)
        return steps


def run_due(simulator: Simulator, until: int, *, test_clock: str | None = None) -> int:
    """Do what has fallen due, each step at its own moment and in its own transaction.

    For the customers of a test clock, or for those that have none.
    """
    steps = 0
    with simulator.store.lock:
        while due := simulator.store.next_due(until, test_clock):
            with simulator.clock.at(due.pop("due")), simulator.store.transaction():
                _step(simulator, due)
            steps += 1
    return steps


def keep_time(simulator: Simulator) -> threading.Thread:
    """Do what falls due as real time passes, until the simulator stops."""

    def run() -> None:
        while not simulator.stopping.wait(1):
            try:
                with simulator.store.lock:  # within it nobody looks ahead, as a preview does
                    run_due(simulator, simulator.clock.now())
            except Exception:  # noqa: BLE001 # shown, and the simulator keeps answering
                traceback.print_exc()

    thread = threading.Thread(target=run, name="stripe-schedule", daemon=True)
    thread.start()
    return thread


def _step(simulator: Simulator, body: Json) -> None:
    match body["object"], body.get("status"):
        case "coupon" | "promotion_code", _:
            end_redemption(simulator, body)
        case "checkout.session", _:
            expire_session(simulator, body)
        case "invoice", "draft":
            collect(simulator, body)
        case "invoice", _ if body["collection_method"] == "send_invoice":
            mark_overdue(simulator, body)
        case "invoice", _:
            attempt_payment(simulator, body, payment_method_for(simulator, body))
        case "payment_intent", _:
            settle_payment(simulator, body)
            follow_payment(simulator, body)
        case ("refund" | "tax_id") as kind, _:
            SETTLEMENTS[kind](simulator, body)
        case "subscription", "incomplete":
            expire_subscription(simulator, body)
        case "subscription", _:
            advance_subscription(simulator, body)
