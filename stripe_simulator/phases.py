"""The phases of a subscription schedule, and what becomes of its subscription when one ends."""

from collections.abc import Sequence
from typing import Any

from stripe_simulator.discounts import redeemed
from stripe_simulator.renewals import make_item_of_subscription
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]


def begin_phase(simulator: Simulator, subscription: Json) -> None:
    """Let the phase that begins now change the subscription, which the caller saves and bills."""
    if subscription["schedule"] is None:
        return
    schedule = simulator.find("subscription_schedule", subscription["schedule"])
    now = schedule["current_phase"]["end_date"]
    if now > simulator.clock.now():
        return
    following = next((phase for phase in schedule["phases"] if phase["start_date"] == now), None)
    if following is None:
        end_schedule(simulator, schedule, "completed")
        subscription["schedule"] = None
        return
    items = [_item(simulator, subscription, planned, now) for planned in following["items"]]
    if _intervals(items) != _intervals(subscription["items"]["data"]):
        # Of a phase whose ``billing_cycle_anchor`` is automatic.
        subscription["billing_cycle_anchor"] = now
    subscription["items"]["data"] = items
    subscription["default_tax_rates"] = following["default_tax_rates"]
    subscription["discounts"] = _discounts(simulator, subscription, following["discounts"])
    schedule["current_phase"] = {"start_date": now, "end_date": following["end_date"]}
    simulator.save(schedule, "subscription_schedule.updated")


def end_schedule(simulator: Simulator, schedule: Json, status: str) -> Json:
    """Let go of the subscription, which the caller saves. ``status``: completed, released or canceled."""
    now = simulator.clock.now()
    schedule |= {"status": status, f"{status}_at": now, "current_phase": None}
    if status != "canceled":
        schedule |= {"released_subscription": schedule["subscription"], "subscription": None}
    simulator.save(schedule)
    simulator.emit(f"subscription_schedule.{status}", schedule)
    return schedule


def _item(simulator: Simulator, subscription: Json, planned: Json, now: int) -> Json:
    """An item whose period is over, so that the next one is billed as at every renewal."""
    price = simulator.find("price", planned["price"])
    before = next(
        (item for item in subscription["items"]["data"] if item["price"]["id"] == price["id"]), None
    )
    made = make_item_of_subscription(
        simulator,
        subscription["id"],
        price,
        quantity=planned["quantity"],
        metadata=before["metadata"] if before else {},
        period={"start": min(_starts(subscription)), "end": now},
        tax_rates=planned["tax_rates"],
        discounts=_discounts(simulator, subscription, planned["discounts"]),
    )
    return {**made, "id": before["id"], "created": before["created"]} if before else made


def _intervals(items: list[Json]) -> set[tuple[str, int]]:
    every = [item["price"]["recurring"] for item in items]
    return {(recurring["interval"], recurring["interval_count"]) for recurring in every}


def _starts(subscription: Json) -> list[int]:
    return [item["current_period_start"] for item in subscription["items"]["data"]]


def _discounts(simulator: Simulator, subscription: Json, planned: Sequence[Json]) -> list[str]:
    """The discounts that a phase names: those that there are, and those of coupons."""
    given = [{name: one[name] for name in one if one[name]} for one in planned]
    return redeemed(
        simulator,
        given,
        customer=subscription["customer"],
        currency=subscription["currency"],
        inherited=[one["discount"] for one in planned if one["discount"]],
        subscription=subscription["id"],
    )
