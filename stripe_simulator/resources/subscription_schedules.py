"""Schedules of subscriptions (https://docs.stripe.com/api/subscription_schedules)."""

from typing import Any

from stripe_simulator.endpoints import endpoint
from stripe_simulator.errors import StripeError, not_simulated, required
from stripe_simulator.fields import merged_metadata
from stripe_simulator.invoicing import automatic_tax
from stripe_simulator.paging import page
from stripe_simulator.periods import period_around
from stripe_simulator.phases import end_schedule
from stripe_simulator.renewals import is_metered
from stripe_simulator.resources.subscription_items import recurring_price
from stripe_simulator.simulator import Simulator
from stripe_simulator.taxes import find_rates

Json = dict[str, Any]

ITEM = " ".join(f"phases.items.{name}" for name in ("discounts", "price", "quantity", "tax_rates"))
PHASE = " ".join(
    f"phases.{name}"
    for name in ("default_tax_rates", "discounts", "duration", "end_date", "proration_behavior", "start_date")
)


@endpoint("subscription_schedules.create", "from_subscription")
def create(simulator: Simulator, params: Json) -> Json:
    if "from_subscription" not in params:
        raise not_simulated("makes schedules from subscriptions only", "from_subscription")
    subscription = simulator.find("subscription", params["from_subscription"], param="from_subscription")
    if subscription["schedule"]:
        raise StripeError(
            "You cannot migrate a subscription that is already attached to a schedule: "
            f"`{subscription['id']}`.",
            param="from_subscription",
        )
    _refuse_unsimulated(subscription)
    schedule = _from_subscription(simulator, subscription)
    simulator.save(schedule)
    simulator.emit("subscription_schedule.created", schedule)
    simulator.save({**subscription, "schedule": schedule["id"]}, "customer.subscription.updated")
    return schedule


@endpoint("subscription_schedules.retrieve")
def retrieve(simulator: Simulator, _params: Json, identifier: str) -> Json:
    return simulator.find("subscription_schedule", identifier)


@endpoint("subscription_schedules.list", "customer")
def list_schedules(simulator: Simulator, params: Json) -> Json:
    return page(
        simulator.store,
        "subscription_schedule",
        "/v1/subscription_schedules",
        params,
        filters={"customer": params.get("customer")},
    )


@endpoint("subscription_schedules.update", f"end_behavior metadata proration_behavior {PHASE} {ITEM}")
def update(simulator: Simulator, params: Json, identifier: str) -> Json:
    schedule = _living(simulator, identifier, "update")
    if params.get("end_behavior", "release") != "release":
        raise not_simulated("ends schedules by releasing them only", "end_behavior")
    schedule["metadata"] = merged_metadata(schedule["metadata"], params.get("metadata"))
    if "phases" in params:
        _plan(simulator, schedule, params["phases"])
    return simulator.save(schedule, "subscription_schedule.updated")


@endpoint("subscription_schedules.release", "preserve_cancel_date")
def release(simulator: Simulator, _params: Json, identifier: str) -> Json:
    schedule = _living(simulator, identifier, "release")
    subscription = simulator.find("subscription", schedule["subscription"])
    released = end_schedule(simulator, schedule, "released")
    simulator.save({**subscription, "schedule": None}, "customer.subscription.updated")
    return released


def _living(simulator: Simulator, identifier: str, act: str) -> Json:
    schedule = simulator.find("subscription_schedule", identifier)
    if schedule["status"] != "active":
        raise StripeError(
            f"You cannot {act} a subscription schedule that is currently in the `{schedule['status']}` "
            "status.",
            param="id",
        )
    return schedule


def _refuse_unsimulated(subscription: Json) -> None:
    ends = {item["current_period_end"] for item in subscription["items"]["data"]}
    if subscription["status"] not in {"active", "past_due"} or subscription["cancel_at"] or len(ends) > 1:
        raise not_simulated("makes schedules of subscriptions that go on, in one period", "from_subscription")
    if any(is_metered(item["price"]) for item in subscription["items"]["data"]):
        raise not_simulated("makes no schedules with metered prices", "from_subscription")


def _from_subscription(simulator: Simulator, subscription: Json) -> Json:
    (start, end), *_others = {
        (item["current_period_start"], item["current_period_end"]) for item in subscription["items"]["data"]
    }
    now = simulator.clock.now()
    schedule = simulator.new(
        "subscription_schedule",
        "sub_sched",
        application=None,
        billing_mode={
            "type": "flexible",
            "flexible": {"proration_discounts": "included"},
            "updated_at": now,
        },
        canceled_at=None,
        completed_at=None,
        current_phase={"start_date": start, "end_date": end},
        customer=subscription["customer"],
        customer_account=None,
        default_settings={
            "application_fee_percent": None,
            "automatic_tax": _tax(enabled=False),
            "billing_cycle_anchor": "automatic",
            "billing_thresholds": None,
            "collection_method": "charge_automatically",
            "default_payment_method": None,
            "description": None,
            "invoice_settings": {
                "account_tax_ids": None,
                "custom_fields": None,
                "days_until_due": None,
                "description": None,
                "footer": None,
                "issuer": {"type": "self"},
            },
            "on_behalf_of": None,
            "transfer_data": None,
        },
        end_behavior="release",
        metadata={},
        pause_schedules=[],
        released_at=None,
        released_subscription=None,
        status="active",
        subscription=subscription["id"],
        test_clock=subscription["test_clock"],
    )
    items = [
        {
            "discounts": _named(item["discounts"]),
            "metadata": item["metadata"],
            "price": item["price"]["id"],
            "quantity": item["quantity"],
            "tax_rates": item["tax_rates"],
        }
        for item in subscription["items"]["data"]
    ]
    schedule["phases"] = [
        _phase(
            subscription["currency"],
            start,
            end,
            [_item(item) for item in items],
            default_tax_rates=subscription["default_tax_rates"],
            discounts=_named(subscription["discounts"]),
        )
    ]
    return schedule


def _plan(simulator: Simulator, schedule: Json, given: list[Json]) -> None:
    """Write the phases anew: the present one as it is, then those to come."""
    current = schedule["current_phase"]
    if not given or given[0].get("start_date") != current["start_date"]:
        raise StripeError(
            "You must pass the current phase with its `start_date`, so that phases can be anchored to it.",
            param="phases[0][start_date]",
        )
    subscription = simulator.find("subscription", schedule["subscription"])
    phases: list[Json] = []
    for index, phase in enumerate(given):
        start = phases[-1]["end_date"] if phases else current["start_date"]
        items = [
            _planned(simulator, subscription, item, index, place) for place, item in enumerate(phase["items"])
        ]
        phases.append(
            _phase(
                subscription["currency"],
                start,
                _end_of(simulator, subscription, phase, items, start, index),
                items,
                default_tax_rates=find_rates(
                    simulator,
                    phase.get("default_tax_rates") or [],
                    param=f"phases[{index}][default_tax_rates]",
                ),
                discounts=_named_by(phase.get("discounts")),
                proration_behavior=phase.get("proration_behavior", "create_prorations"),
            )
        )
    if (
        _bought(phases[0]["items"])
        != _bought([{**item, "price": item["price"]["id"]} for item in subscription["items"]["data"]])
        or phases[0]["end_date"] != current["end_date"]
    ):
        raise not_simulated("leaves the current phase as it is", "phases[0]")
    schedule["phases"] = phases


def _bought(items: list[Json]) -> list[tuple[str, int]]:
    return sorted((item["price"], item["quantity"]) for item in items)


def _planned(simulator: Simulator, subscription: Json, item: Json, phase: int, place: int) -> Json:
    price = recurring_price(simulator, item, place)
    param = f"phases[{phase}][items][{place}]"
    if is_metered(price):
        raise not_simulated("makes no schedules with metered prices", f"{param}[price]")
    if price["currency"] != subscription["currency"]:
        raise StripeError(
            "All phases of a subscription schedule must have the currency of its subscription.",
            param=f"{param}[price]",
        )
    return _item(
        {
            "discounts": _named_by(item.get("discounts")),
            "metadata": {},
            "price": price["id"],
            "quantity": item.get("quantity", 1),
            "tax_rates": find_rates(simulator, item.get("tax_rates") or [], param=f"{param}[tax_rates]"),
        }
    )


def _item(fields: Json) -> Json:
    return {"billing_thresholds": None, "plan": fields["price"], **fields}


def _end_of(
    simulator: Simulator, subscription: Json, phase: Json, items: list[Json], start: int, index: int
) -> int:
    """When a phase ends: with one of its items' periods, which is all that is simulated."""
    if "end_date" in phase:
        return int(phase["end_date"])
    if "duration" not in phase:
        raise required(f"phases[{index}][end_date]")
    interval, count = phase["duration"]["interval"], phase["duration"].get("interval_count", 1)
    recurring = simulator.find("price", items[0]["price"])["recurring"]
    if (interval, count) != (recurring["interval"], recurring["interval_count"]):
        raise not_simulated("knows phases of one period only", f"phases[{index}][duration]")
    return period_around(subscription["billing_cycle_anchor"], start, interval, count)[1]


def _phase(currency: str, start: int, end: int, items: list[Json], **given: Any) -> Json:
    return {
        "add_invoice_items": [],
        "application_fee_percent": None,
        "automatic_tax": None,
        "billing_cycle_anchor": None,
        "billing_thresholds": None,
        "collection_method": None,
        "currency": currency,
        "default_payment_method": None,
        "description": None,
        "end_date": end,
        "invoice_settings": None,
        "items": items,
        "metadata": {},
        "on_behalf_of": None,
        "proration_behavior": "create_prorations",
        "start_date": start,
        "transfer_data": None,
        "trial_end": None,
        **given,
    }


def _named(discounts: list[str]) -> list[Json]:
    return [{"coupon": None, "discount": one, "promotion_code": None} for one in discounts]


def _named_by(given: Any) -> list[Json]:
    return [{"coupon": None, "discount": None, "promotion_code": None, **one} for one in given or []]


def _tax(*, enabled: bool) -> Json:
    names = ("disabled_reason", "enabled", "liability")
    return {name: automatic_tax(enabled=enabled)[name] for name in names}
