"""Changes of subscriptions: what a request makes of one, and what of it is billed at once."""

from typing import Any

from stripe_simulator.errors import StripeError, not_simulated
from stripe_simulator.prorations import prorate, prorate_end
from stripe_simulator.resources.subscription_items import changed_items
from stripe_simulator.resources.subscription_terms import (
    apply_cancellation_details,
    apply_end,
    apply_pause,
    apply_terms,
    check_trial_end,
)
from stripe_simulator.simulator import Simulator
from stripe_simulator.subscribing import change_trial

Json = dict[str, Any]

PENDING = (
    "expand",
    "items",
    "off_session",
    "payment_behavior",
    "proration_behavior",
    "proration_date",
    "trial_end",
)
"""What may be changed pending a payment (https://docs.stripe.com/billing/subscriptions/pending-updates)."""


def refuse_change(subscription: Json, params: Json, behavior: str) -> None:
    """Raises StripeError for what can't be changed in this state or with this `payment_behavior`."""
    others = [name for name in params if name not in PENDING]
    if behavior == "pending_if_incomplete" and others:
        raise StripeError(
            f"You cannot change {', '.join(others)} with payment_behavior=pending_if_incomplete.",
            param=others[0],
        )
    if subscription["schedule"] and not {"cancel_at", "cancel_at_period_end"}.isdisjoint(params):
        raise StripeError(
            f"The subscription is managed by the subscription schedule `{subscription['schedule']}`, and"
            " updating any cancelation behavior directly is not allowed. Please update the schedule instead."
        )
    if subscription["schedule"] and "items" in params:
        raise not_simulated("changes no items of a subscription with a schedule", "items")
    if subscription["status"] == "incomplete" and "items" in params:
        raise StripeError(
            "You cannot update a subscription in `incomplete` status in a way that results in payment or"
            " proration.",
            param="items",
        )


def change(simulator: Simulator, subscription: Json, params: Json) -> list[Json] | None:
    """Change the subscription, which the caller saves; its prorations wait for an invoice.

    Returns the items to bill at once, with what waits, or None if the change leads to no invoice of its own.
    """
    moment = params.get("proration_date", simulator.clock.now())
    behavior = params.get("proration_behavior", "create_prorations")
    was_trial = subscription["status"] == "trialing"
    before, end_before = subscription["items"]["data"], subscription["cancel_at"]
    _check_proration_date(params, before)
    apply_terms(simulator, subscription, params)
    if "pause_collection" in params:
        apply_pause(simulator, subscription, params["pause_collection"])
    if "cancellation_details" in params:
        apply_cancellation_details(subscription, params["cancellation_details"] or {})
    if "items" in params:
        subscription["items"]["data"] = changed_items(
            simulator, subscription, before, params["items"], at=moment
        )
    if behavior != "none":
        prorate(simulator, subscription, before, subscription["items"]["data"], at=moment)
    if "trial_end" in params:
        check_trial_end(params["trial_end"], simulator.clock.now())
        change_trial(simulator, subscription, params["trial_end"], prorates=behavior != "none")
    apply_end(simulator, subscription, params)
    if behavior != "none":
        prorate_end(simulator, subscription, end_before)
    items: list[Json] = subscription["items"]["data"]
    if was_trial and subscription["status"] == "active":
        return items
    is_changed = before != items or end_before != subscription["cancel_at"]
    return [] if behavior == "always_invoice" and is_changed else None


def _check_proration_date(params: Json, items: list[Json]) -> None:
    moment = params.get("proration_date")
    if moment is None:
        return
    if not any(item["current_period_start"] <= moment <= item["current_period_end"] for item in items):
        raise StripeError(
            "Invalid proration date: it must lie in the current billing period.", param="proration_date"
        )
