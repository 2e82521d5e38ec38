"""How subscriptions are billed: their items, periods, invoices, renewals and prorations."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from stripe_simulator.due import DAY
from stripe_simulator.invoicing import add_lines, make_invoice, take_pending_items
from stripe_simulator.lines import make_item, make_line
from stripe_simulator.periods import period_end
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]


def make_item_of_subscription(
    simulator: Simulator, subscription: str, price: Json, *, quantity: int, metadata: Json, period: Json
) -> Json:
    item = simulator.new(
        "subscription_item",
        "si",
        billing_thresholds=None,
        current_period_start=period["start"],
        current_period_end=period["end"],
        discounts=[],
        metadata=metadata,
        plan=plan_of(price),
        price=price,
        quantity=quantity,
        subscription=subscription,
        tax_rates=[],
    )
    del item["livemode"]
    return item


def plan_of(price: Json) -> Json:
    """The older form of a price, which subscription items still carry."""
    recurring = price["recurring"]
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": "per_unit",
        "created": price["created"],
        "currency": price["currency"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": False,
        "metadata": price["metadata"],
        "meter": None,
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def next_period(subscription: Json, price: Json, start: int) -> Json:
    recurring = price["recurring"]
    anchor = subscription["billing_cycle_anchor"]
    return {
        "start": start,
        "end": period_end(anchor, start, recurring["interval"], recurring["interval_count"]),
    }


def period_amount(price: Json, quantity: int) -> int:
    """What a whole period costs, in minor units."""
    return _rounded(Decimal(price["unit_amount_decimal"]) * quantity)


def bill_items(
    simulator: Simulator,
    subscription: Json,
    items: list[Json],
    *,
    reason: str,
    period_start: int | None = None,
) -> Json:
    """Save a draft invoice of the items' current periods and of what waits for the customer.

    `period_start` is that of the period gone by, as Stripe's invoices of a renewal have it. The caller saves
    the subscription.
    """
    customer = simulator.find("customer", subscription["customer"], param="customer")
    invoice = make_invoice(
        simulator,
        customer,
        currency=subscription["currency"],
        billing_reason=reason,
        collection_method=subscription["collection_method"],
        auto_advance=True,
        subscription=subscription,
    )
    if subscription["collection_method"] == "send_invoice":
        invoice["due_date"] = simulator.clock.now() + (subscription["days_until_due"] or 30) * DAY
    simulator.save(invoice)
    if period_start is not None:
        invoice["period_start"] = period_start
    add_lines(simulator, invoice, [_line(simulator, subscription, item, invoice) for item in items])
    take_pending_items(simulator, invoice)
    simulator.save(invoice)
    simulator.emit("invoice.created", invoice)
    subscription["latest_invoice"] = invoice["id"]
    return invoice


def renew(simulator: Simulator, subscription: Json) -> Json:
    """Start the next period of each item whose period is over, and make the draft invoice for it."""
    now = simulator.clock.now()
    over = [item for item in subscription["items"]["data"] if item["current_period_end"] <= now]
    began = min(item["current_period_start"] for item in over)
    for item in over:
        period = next_period(subscription, item["price"], item["current_period_end"])
        item |= {"current_period_start": period["start"], "current_period_end": period["end"]}
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    invoice = bill_items(simulator, subscription, over, reason="subscription_cycle", period_start=began)
    simulator.save(subscription, "customer.subscription.updated")
    return invoice


def prorate(simulator: Simulator, subscription: Json, before: list[Json], after: list[Json]) -> None:
    """Make the pending invoice items that credit what is left of the old items and charge it for the new."""
    now = simulator.clock.now()
    unchanged = {_key(item) for item in before} & {_key(item) for item in after}
    for items, sign, words in ((before, -1, "Unused time on"), (after, 1, "Remaining time on")):
        for item in items:
            if _key(item) in unchanged:
                continue
            _prorate_item(simulator, subscription, item, sign=sign, words=words, now=now)


def _prorate_item(
    simulator: Simulator, subscription: Json, item: Json, *, sign: int, words: str, now: int
) -> None:
    start, end = item["current_period_start"], item["current_period_end"]
    share = Decimal(end - now) / Decimal(end - start)
    amount = sign * _rounded(Decimal(item["price"]["unit_amount_decimal"]) * item["quantity"] * share)
    product = simulator.find("product", item["price"]["product"])["name"]
    details = {"subscription": subscription["id"], "subscription_item": item["id"]}
    pending = make_item(
        simulator,
        customer=subscription["customer"],
        amount=amount,
        currency=subscription["currency"],
        price=item["price"],
        quantity=item["quantity"],
        description=f"{words} {item['quantity']} × {product}",
        discountable=False,
        parent={"type": "subscription_details", "subscription_details": details},
        period={"start": now, "end": end},
        proration=True,
        proration_details={"credited_items": None, "discount_amounts": []},
    )
    simulator.save(pending)
    simulator.emit("invoiceitem.created", pending)


def _key(item: Json) -> tuple[str, str, int]:
    return item["id"], item["price"]["id"], item["quantity"]


def _line(simulator: Simulator, subscription: Json, item: Json, invoice: Json) -> Json:
    price, quantity = item["price"], item["quantity"]
    trial = subscription["status"] == "trialing"
    amount = 0 if trial else period_amount(price, quantity)
    product = simulator.find("product", price["product"])["name"]
    unit = f"{Decimal(price['unit_amount_decimal']) / 100:.2f} {price['currency'].upper()}"
    words = f"{quantity} × {product} (at {unit} / {price['recurring']['interval']})"
    source = {
        "amount": amount,
        "currency": price["currency"],
        "description": f"Trial period for {product}" if trial else words,
        "discountable": True,
        "metadata": subscription["metadata"],
        "period": {"start": item["current_period_start"], "end": item["current_period_end"]},
        "pricing": {
            "type": "price_details",
            "price_details": {"price": price["id"], "product": price["product"]},
            "unit_amount_decimal": "0" if trial else price["unit_amount_decimal"],
        },
        "quantity": quantity,
        "subscription": subscription["id"],
    }
    parent = {
        "type": "subscription_item_details",
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": None,
            "proration": False,
            "proration_details": None,
            "subscription": subscription["id"],
            "subscription_item": item["id"],
        },
    }
    return make_line(source, invoice=invoice["id"], parent=parent)


def _rounded(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))
