"""How subscriptions begin and end."""

from typing import Any

from stripe_simulator.collection import attempt_payment, finalize, payment_method_for, stop_collecting, void
from stripe_simulator.errors import StripeError
from stripe_simulator.prorations import prorate
from stripe_simulator.renewals import bill_items, period_of
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]


def start_subscription(simulator: Simulator, subscription: Json, *, behavior: str) -> None:
    """Save the subscription and bill its first period, as `payment_behavior` says."""
    automatic = subscription["collection_method"] == "charge_automatically"
    simulator.save(subscription)
    invoice = bill_items(simulator, subscription, subscription["items"]["data"], reason="subscription_create")
    due = automatic and invoice["amount_due"] > 0
    method = payment_method_for(simulator, invoice)
    if due and method is None and behavior != "default_incomplete":
        raise StripeError(
            "This customer has no attached payment source or default payment method. Please consider adding "
            "a default payment method. For more information, visit "
            "https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority.",
            code="resource_missing",
        )
    if due:
        subscription["status"] = "incomplete"
    simulator.save(subscription)
    simulator.emit("customer.subscription.created", subscription)
    if not automatic and invoice["amount_due"]:
        return
    finalize(simulator, invoice)
    if not due:
        return
    invoice |= {"auto_advance": False, "next_payment_attempt": None}
    simulator.save(invoice)
    if behavior != "default_incomplete":
        refusal = attempt_payment(simulator, invoice, method)
        if refusal and behavior == "error_if_incomplete":
            raise StripeError(refusal.args[0], status=402, kind="card_error", code="card_declined")


def collect(simulator: Simulator, invoice: Json) -> None:
    """Finalize a draft and, where cards are charged automatically, try to collect it."""
    finalize(simulator, invoice)
    if invoice["status"] == "open" and invoice["collection_method"] == "charge_automatically":
        attempt_payment(simulator, invoice, payment_method_for(simulator, invoice))


def change_trial(simulator: Simulator, subscription: Json, end: int | str, *, prorates: bool) -> None:
    """Let a trial end now or at another time; the caller saves the subscription and bills what begins."""
    now = simulator.clock.now()
    is_trial = subscription["status"] == "trialing"
    if end == "now" and not is_trial:
        return
    items = subscription["items"]["data"]
    if prorates and not is_trial:
        prorate(simulator, subscription, items, [])
    ends = now if end == "now" else end
    subscription |= {
        "billing_cycle_anchor": ends,
        "status": "active" if end == "now" else "trialing",
        "trial_start": subscription["trial_start"] if is_trial else now,
        "trial_end": ends,
    }
    for item in items:
        period = period_of(subscription, item["price"], now)
        item |= {"current_period_start": period["start"], "current_period_end": period["end"]}


def end_subscription(simulator: Simulator, subscription: Json) -> Json:
    """Cancel now; invoices stay, but open ones are no longer collected by themselves."""
    now = simulator.clock.now()
    subscription |= {
        "status": "canceled",
        "canceled_at": subscription["canceled_at"] or now,
        "ended_at": now,
        "cancellation_details": {
            **subscription["cancellation_details"],
            "reason": subscription["cancellation_details"]["reason"] or "cancellation_requested",
        },
    }
    simulator.save(subscription)
    stop_collecting(simulator, subscription["customer"], subscription=subscription["id"])
    simulator.emit("customer.subscription.deleted", subscription)
    return subscription


def expire_subscription(simulator: Simulator, subscription: Json) -> None:
    """An incomplete subscription that nobody paid within 23 hours ends, and its invoice with it."""
    subscription |= {"status": "incomplete_expired", "ended_at": simulator.clock.now()}
    simulator.save(subscription, "customer.subscription.updated")
    invoice = simulator.find("invoice", subscription["latest_invoice"])
    if invoice["status"] == "open":
        void(simulator, invoice)
