"""What we ask of Stripe to change what a subscription buys: now, or when its period ends.

All raise GatewayUnavailable, GatewayRefused, GatewayMissing and GatewayForbidden. A change takes the
idempotency key that the caller has saved before.
"""

from typing import Any

from billing.gateway import reading
from billing.gateway.client import call
from billing.gateway.errors import GatewayRefused


def change_subscription(
    subscription_id: str,
    *,
    items: Any,
    at: int,
    metadata: dict[str, str],
    idempotency_key: str,
) -> str:
    """Change the items, and charge at once what ``preview_of_change`` told. Returns the invoice's id.

    Raises GatewayDeclined, too: the bank refused, and nothing has changed. The person isn't at Stripe's page
    and can't answer their bank, so it is charged like a renewal (``off_session``).
    https://docs.stripe.com/api/subscriptions/update#update_subscription-payment_behavior
    """
    changed = call(
        lambda stripe_: stripe_.v1.subscriptions.update(
            subscription_id,
            {
                "items": items,
                "proration_behavior": "always_invoice",
                "proration_date": at,
                "payment_behavior": "error_if_incomplete",
                "off_session": True,
                "metadata": metadata,
            },
            {"idempotency_key": idempotency_key},
        )
    )
    return reading.id_of(changed.to_dict()["latest_invoice"])


def change_in_trial(
    subscription_id: str, *, items: Any, metadata: dict[str, str], idempotency_key: str
) -> None:
    """Change the items of a subscription in its trial, which goes on: nothing is charged before it ends."""
    call(
        lambda stripe_: stripe_.v1.subscriptions.update(
            subscription_id,
            {"items": items, "proration_behavior": "none", "metadata": metadata},
            {"idempotency_key": idempotency_key},
        )
    )


def invoice_of_change(subscription_id: str) -> str:
    """The id of the invoice that came of a change, when we never heard how it ended."""
    found = call(lambda stripe_: stripe_.v1.subscriptions.retrieve(subscription_id))
    return reading.id_of(found.to_dict()["latest_invoice"])


def begin_schedule(subscription_id: str, *, idempotency_key: str) -> str:
    """Let a schedule manage the subscription, which stays as it is. Returns the schedule's id."""
    made = call(
        lambda stripe_: stripe_.v1.subscription_schedules.create(
            {"from_subscription": subscription_id}, {"idempotency_key": idempotency_key}
        )
    )
    return made.id


def plan_change(
    schedule_id: str,
    *,
    ends: int,
    replaced: str,
    bought: dict[str, Any],
    interval: str,
    metadata: dict[str, str],
    idempotency_key: str,
) -> None:
    """Let an item give way to another once the present period ends; all else about it stays.

    ``ends``: when that is, in seconds. ``replaced``: the id of the item's price. ``bought``: price and
    quantity from then on. ``interval``: of the new period, month or year. After that period the schedule lets
    the subscription go.
    https://docs.stripe.com/billing/subscriptions/subscription-schedules
    """
    body = call(lambda stripe_: stripe_.v1.subscription_schedules.retrieve(schedule_id)).to_dict()
    if body["current_phase"] is None:
        raise GatewayRefused("schedule_ended", "The schedule has let the subscription go.")
    begun = body["current_phase"]["start_date"]
    current = next(phase for phase in body["phases"] if phase["start_date"] == begun)
    kept = _kept(current)
    items = [_item(item) for item in current["items"]]
    present: Any = {
        **kept,
        "items": items,
        "start_date": current["start_date"],
        "end_date": ends,
    }
    following: Any = {
        **kept,
        "items": [{**item, **bought} if item["price"] == replaced else item for item in items],
        "duration": {"interval": interval, "interval_count": 1},
        "proration_behavior": "none",
    }
    call(
        lambda stripe_: stripe_.v1.subscription_schedules.update(
            schedule_id,
            {
                "end_behavior": "release",
                "phases": [present, following],
                "metadata": metadata,
            },
            {"idempotency_key": idempotency_key},
        )
    )


def _kept(phase: dict[str, Any]) -> dict[str, Any]:
    """What phases are written anew with, or lose."""
    return {
        "default_tax_rates": [reading.id_of(rate) for rate in phase.get("default_tax_rates") or []],
        "discounts": _discounts(phase),
    }


def _item(item: dict[str, Any]) -> dict[str, Any]:
    return {
        **({} if item.get("quantity") is None else {"quantity": item["quantity"]}),
        "price": reading.id_of(item["price"]),
        "tax_rates": [reading.id_of(rate) for rate in item.get("tax_rates") or []],
        "discounts": _discounts(item),
    }


def _discounts(owner: dict[str, Any]) -> list[dict[str, str]]:
    return [
        {name: reading.id_of(one[name])}
        for one in owner.get("discounts") or []
        for name in ("discount", "promotion_code", "coupon")
        if one.get(name)
    ]


def release_schedule(schedule_id: str, *, idempotency_key: str) -> None:
    """Let the subscription go on as it is. Raises GatewayRefused where it is let go already."""
    call(
        lambda stripe_: stripe_.v1.subscription_schedules.release(
            schedule_id, options={"idempotency_key": idempotency_key}
        )
    )
