"""What waits for the payment of an invoice: a changed subscription, or one that is to be resumed.

See https://docs.stripe.com/billing/subscriptions/pending-updates.
"""

from typing import Any

from stripe_simulator.due import HOUR
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]

LIFETIME = 23 * HOUR
FIELDS = ("billing_cycle_anchor", "trial_end")


def keep_pending(simulator: Simulator, subscription: Json, changed: Json, invoice: Json) -> Json:
    """Save the subscription as it was, with the change that the invoice's payment will bring about."""
    update: Json = {
        "expires_at": simulator.clock.now() + LIFETIME,
        "subscription_items": changed["items"]["data"],
    }
    for name in FIELDS:
        update[name] = changed[name] if changed[name] != subscription[name] else None
    return simulator.save({**subscription, "latest_invoice": invoice["id"], "pending_update": update})


def take_effect(simulator: Simulator, invoice: Json) -> None:
    """The invoice was paid: do what waited for it."""
    subscription = _waiting_for(simulator, invoice)
    if subscription is None:
        return
    update = subscription["pending_update"]
    if update:
        # The event tells what the change is, not that it was pending.
        subscription["pending_update"] = None
        simulator.save(subscription)
        subscription["items"]["data"] = update["subscription_items"]
        subscription |= {name: update[name] for name in FIELDS if update[name] is not None}
        simulator.save(subscription, "customer.subscription.updated")
        simulator.emit("customer.subscription.pending_update_applied", subscription)
    if subscription["status"] == "paused":
        subscription["status"] = "active"
        subscription.pop("status_details", None)
        simulator.save(subscription, "customer.subscription.updated")
        simulator.emit("customer.subscription.resumed", subscription)


def awaits(subscription: Json, invoice: Json) -> bool:
    """Whether the invoice is of a change that is still to come, so that the subscription owes nothing yet."""
    return bool(subscription["pending_update"]) and subscription["latest_invoice"] == invoice["id"]


def expire_pending(simulator: Simulator, subscription: Json) -> None:
    """Nobody paid in time: the subscription stays as it was."""
    simulator.save({**subscription, "pending_update": None}, "customer.subscription.updated")
    simulator.emit("customer.subscription.pending_update_expired", {**subscription, "pending_update": None})


def _waiting_for(simulator: Simulator, invoice: Json) -> Json | None:
    details = (invoice["parent"] or {}).get("subscription_details")
    subscription = simulator.store.get(details["subscription"]) if details else None
    return subscription if subscription and subscription["latest_invoice"] == invoice["id"] else None
