"""What a change amid a period credits and charges (https://docs.stripe.com/billing/subscriptions/prorations)."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from stripe_simulator.discounts import living, net_of, reduced
from stripe_simulator.lines import make_item
from stripe_simulator.money import rounded
from stripe_simulator.pricing import period_amount
from stripe_simulator.renewals import is_metered
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]


def prorate(
    simulator: Simulator, subscription: Json, before: list[Json], after: list[Json], *, at: int | None = None
) -> None:
    """Make the pending invoice items that credit what is left of the old items and charge it for the new.

    `at` is the moment from which the change counts, now unless given.
    """
    if subscription["status"] not in ("active", "past_due"):
        return
    moment = simulator.clock.now() if at is None else at
    unchanged = {_key(item) for item in before} & {_key(item) for item in after}
    for item in before:
        if _key(item) not in unchanged and not is_metered(item["price"]):
            _credit(simulator, subscription, item, moment)
    for item in after:
        if _key(item) not in unchanged and not is_metered(item["price"]):
            _charge(simulator, subscription, item, moment)


def prorate_end(simulator: Simulator, subscription: Json, before: int | None) -> None:
    """Credit what a new end cuts off the items' periods; charge what the end `before` had cut off."""
    after = subscription["cancel_at"]
    if before == after:
        return
    items = subscription["items"]["data"]
    for moment, is_new in ((before, False), (after, True)):
        cut = [item for item in items if moment and item["current_period_end"] > moment]
        prorate(simulator, subscription, cut if is_new else [], [] if is_new else cut, at=moment)


def _credit(simulator: Simulator, subscription: Json, item: Json, moment: int) -> None:
    """Give back the unused part of what was billed for the item, net of discounts."""
    line = _billed_line(simulator, subscription, item)
    if line:
        paid = Decimal(net_of(line))
        source = {"invoice": line["invoice"], "invoice_line_items": [line["id"]]}
        credited = {
            "type": "invoice_line_items",
            "invoice_item": None,
            "invoice_line_item_details": source,
        }
    else:
        paid, credited = Decimal(_discounted(simulator, subscription, item)), None
    amount = -rounded(paid * _share(item, moment), subscription["currency"])
    _make(simulator, subscription, item, moment, amount=amount, words="Unused time on", credited=credited)


def _charge(simulator: Simulator, subscription: Json, item: Json, moment: int) -> None:
    price = Decimal(_discounted(simulator, subscription, item))
    amount = rounded(price * _share(item, moment), subscription["currency"])
    _make(simulator, subscription, item, moment, amount=amount, words="Remaining time on", credited=None)


def _make(
    simulator: Simulator,
    subscription: Json,
    item: Json,
    moment: int,
    *,
    amount: int,
    words: str,
    credited: Json | None,
) -> None:
    """Save the pending item; its discounts are named but have taken off their part already."""
    product = simulator.find("product", item["price"]["product"])["name"]
    name = product if item["quantity"] == 1 else f"{item['quantity']} × {product}"
    day = datetime.fromtimestamp(moment, UTC).strftime("%-d %b %Y")
    ids = living(simulator, [*item["discounts"], *subscription["discounts"]])
    pending = make_item(
        simulator,
        customer=subscription["customer"],
        amount=amount,
        currency=subscription["currency"],
        price=item["price"],
        quantity=item["quantity"],
        description=f"{words} {name} after {day}",
        discountable=False,
        discounts=ids,
        parent={
            "type": "subscription_details",
            "subscription_details": {"subscription": subscription["id"], "subscription_item": item["id"]},
        },
        period={"start": moment, "end": item["current_period_end"]},
        proration=True,
        proration_details={
            "credited_items": credited,
            "discount_amounts": [{"amount": 0, "discount": identifier} for identifier in ids],
        },
        tax_rates=item["tax_rates"],
    )
    pending["pricing"]["unit_amount_decimal"] = None
    simulator.save(pending)
    simulator.emit("invoiceitem.created", pending)


def _discounted(simulator: Simulator, subscription: Json, item: Json) -> int:
    ids = living(simulator, [*item["discounts"], *subscription["discounts"]])
    amount = period_amount(item["price"], item["quantity"])
    return reduced(simulator, amount, ids, subscription["currency"])


def _billed_line(simulator: Simulator, subscription: Json, item: Json) -> Json | None:
    """The line that billed this item as it is, for its present period."""
    if item["price"]["billing_scheme"] == "tiered":
        return None
    for invoice in simulator.store.select(
        "invoice",
        where="AND customer = ? AND json_extract(body, '$.parent.subscription_details.subscription') = ?",
        values=(subscription["customer"], subscription["id"]),
    ):
        for line in invoice["lines"]["data"]:
            source = line["parent"]["subscription_item_details"]
            if (
                source
                and not source["proration"]
                and source["subscription_item"] == item["id"]
                and line["pricing"]["price_details"]["price"] == item["price"]["id"]
                and line["quantity"] == item["quantity"]
                and line["period"]["end"] == item["current_period_end"]
            ):
                found: Json = line
                return found
    return None


def _share(item: Json, moment: int) -> Decimal:
    start: int = item["current_period_start"]
    end: int = item["current_period_end"]
    return Decimal(max(end - max(moment, start), 0)) / (end - start)


def _key(item: Json) -> tuple[str, str, int | None]:
    return item["id"], item["price"]["id"], item.get("quantity")
