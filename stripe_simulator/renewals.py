"""How subscriptions are billed: their items, periods, invoices and renewals."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from stripe_simulator.discounts import living, spend_of_customer, spend_once
from stripe_simulator.due import DAY
from stripe_simulator.invoicing import add_lines, make_invoice, pending_items, take_pending_items
from stripe_simulator.lines import lines_of_subscription_item
from stripe_simulator.metering import usage_of
from stripe_simulator.periods import period_around
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]


def make_item_of_subscription(
    simulator: Simulator,
    subscription: str,
    price: Json,
    *,
    quantity: int | None,
    metadata: Json,
    period: Json,
    **given: Any,
) -> Json:
    item = simulator.new(
        "subscription_item",
        "si",
        **{
            "billing_thresholds": None,
            "current_period_start": period["start"],
            "current_period_end": period["end"],
            "discounts": [],
            "metadata": metadata,
            "plan": plan_of(price),
            "price": price,
            "quantity": quantity,
            "subscription": subscription,
            "tax_rates": [],
            **given,
        },
    )
    del item["livemode"]
    if is_metered(price):
        del item["quantity"]
    return item


def is_metered(price: Json) -> bool:
    return bool(price["recurring"]["usage_type"] == "metered")


def plan_of(price: Json) -> Json:
    """The older form of a price, which subscription items still carry."""
    recurring, transform = price["recurring"], price["transform_quantity"]
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": price["billing_scheme"],
        "created": price["created"],
        "currency": price["currency"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": False,
        "metadata": price["metadata"],
        "meter": recurring["meter"],
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": price["tiers_mode"],
        "transform_usage": transform,
        "trial_period_days": None,
        "usage_type": recurring["usage_type"],
    }


def period_of(subscription: Json, price: Json, moment: int) -> Json:
    """An item's period at a moment: the trial, or one of the price's interval counted from the anchor."""
    if subscription["status"] == "trialing":
        return {"start": subscription["trial_start"], "end": subscription["trial_end"]}
    recurring = price["recurring"]
    start, end = period_around(
        subscription["billing_cycle_anchor"], moment, recurring["interval"], recurring["interval_count"]
    )
    return {"start": start, "end": end}


def bill_items(
    simulator: Simulator,
    subscription: Json,
    items: list[Json],
    *,
    reason: str,
    ended: Sequence[Json] = (),
    with_usage: bool = True,
) -> Json:
    """Save a draft invoice of the items' current periods and of what waits for the customer.

    `ended` are the items as they were in the period gone by, whose usage is billed now. The caller saves the
    subscription.
    """
    customer = simulator.find("customer", subscription["customer"], param="customer")
    is_kept = (subscription["pause_collection"] or {}).get("behavior") == "keep_as_draft"
    invoice = make_invoice(
        simulator,
        customer,
        currency=subscription["currency"],
        billing_reason=reason,
        collection_method=subscription["collection_method"],
        auto_advance=not is_kept,
        subscription=subscription,
    )
    if subscription["collection_method"] == "send_invoice":
        invoice["due_date"] = simulator.clock.now() + (subscription["days_until_due"] or 30) * DAY
    simulator.save(invoice)
    if ended:
        invoice["period_start"] = min(item["current_period_start"] for item in ended)
    billed = [item for item in items if not is_metered(item["price"])]
    if with_usage:
        billed += [item for item in ended if is_metered(item["price"])]
    for item in billed:
        add_lines(simulator, invoice, _lines(simulator, subscription, item, invoice))
    take_pending_items(simulator, invoice)
    simulator.save(invoice)
    simulator.emit("invoice.created", invoice)
    subscription["latest_invoice"] = invoice["id"]
    for owner in (subscription, *subscription["items"]["data"]):
        owner["discounts"] = spend_once(simulator, owner["discounts"], invoice)
    spend_of_customer(simulator, invoice)
    return invoice


def bill_ending(simulator: Simulator, subscription: Json) -> Json | None:
    """Save the last draft of a subscription that ends: its usage and what waits for it, if there is any."""
    items = subscription["items"]["data"]
    if not any(is_metered(item["price"]) for item in items) and not pending_items(
        simulator, subscription["customer"], subscription["currency"], subscription["id"]
    ):
        return None
    invoice = bill_items(simulator, subscription, [], reason="subscription_cycle", ended=items)
    simulator.save(subscription)
    return invoice


def renew(simulator: Simulator, subscription: Json) -> Json:
    """Start the next period of each item whose period is over, and make the draft invoice for it."""
    now = simulator.clock.now()
    over = [item for item in subscription["items"]["data"] if item["current_period_end"] <= now]
    ended = [dict(item) for item in over]
    was_trial = subscription["status"] == "trialing"
    if was_trial:
        subscription["status"] = "active"
    for item in over:
        item["current_period_start"] = item["current_period_end"]
        item["current_period_end"] = _next_end(subscription, item)
    invoice = bill_items(
        simulator, subscription, over, reason="subscription_cycle", ended=ended, with_usage=not was_trial
    )
    simulator.save(subscription, "customer.subscription.updated")
    return invoice


def _next_end(subscription: Json, item: Json) -> int:
    """When the item's new period ends: at the next border, or with the subscription before that."""
    end = period_of(subscription, item["price"], item["current_period_start"])["end"]
    return int(min(end, subscription["cancel_at"] or end))


def _lines(simulator: Simulator, subscription: Json, item: Json, invoice: Json) -> list[Json]:
    price = item["price"]
    period = {"start": item["current_period_start"], "end": item["current_period_end"]}
    if is_metered(price):
        quantity = usage_of(simulator, price, subscription["customer"], period)
        share = Decimal(1)
    else:
        quantity = item["quantity"]
        whole = period_of(subscription, price, period["start"])
        share = Decimal(period["end"] - period["start"]) / (whole["end"] - whole["start"])
    return lines_of_subscription_item(
        {**item, "discounts": living(simulator, item["discounts"])},
        invoice=invoice["id"],
        product=simulator.find("product", price["product"]),
        quantity=quantity,
        share=share,
        is_trial=subscription["status"] == "trialing",
        metadata=subscription["metadata"],
    )
