"""The items of a subscription that its parameters ask for."""

from typing import Any

from stripe_simulator.discounts import redeemed
from stripe_simulator.errors import StripeError, required
from stripe_simulator.fields import merged_metadata
from stripe_simulator.renewals import is_metered, make_item_of_subscription, period_of
from stripe_simulator.resources.catalog import make_price
from stripe_simulator.simulator import Simulator
from stripe_simulator.taxes import find_rates

Json = dict[str, Any]

MOST_ITEMS = 20
ACCEPTED = " ".join(
    f"items.{name}" for name in ("discounts", "metadata", "price", "price_data", "quantity", "tax_rates")
)
"""What is acted upon of each item that a request names; `id` and `deleted` too where it changes items."""


def recurring_price(simulator: Simulator, item: Json, index: int) -> Json:
    param = f"items[{index}][price]"
    if "price_data" in item:
        item["price"] = make_price(simulator, item.pop("price_data"))["id"]
    if "price" not in item:
        raise required(param)
    price = simulator.find("price", item["price"], param=param)
    if price["type"] != "recurring":
        raise StripeError(
            "The price specified is set to `type=one_time` but this field only accepts prices with "
            "`type=recurring`.",
            param=param,
        )
    if not price["active"]:
        raise StripeError(
            "The price specified is inactive. This field only accepts active prices.", param=param
        )
    return price


def changed_items(
    simulator: Simulator, subscription: Json, before: list[Json], changes: list[Json], *, at: int
) -> list[Json]:
    """The items after the changes, which count from the moment `at`; none of them are saved."""
    items = {item["id"]: item for item in before}
    for index, change in enumerate(changes):
        if "id" in change and change["id"] not in items:
            raise StripeError(
                f"No such subscription item: '{change['id']}'",
                code="resource_missing",
                param=f"items[{index}][id]",
            )
        if change.get("deleted"):
            del items[change["id"]]
            continue
        item = _changed(simulator, subscription, items.get(change.get("id", "")), change, index, at)
        items[item["id"]] = item
    _check(list(items.values()))
    return list(items.values())


def _changed(
    simulator: Simulator, subscription: Json, item: Json | None, change: Json, index: int, at: int
) -> Json:
    if item and not ("price" in change or "price_data" in change):
        price = item["price"]
    else:
        price = recurring_price(simulator, change, index)
    if price["currency"] != subscription["currency"]:
        raise StripeError(
            f"The price specified only supports `{price['currency']}`. This doesn't match the expected "
            f"currency: `{subscription['currency']}`.",
            param=f"items[{index}][price]",
        )
    if is_metered(price) and "quantity" in change:
        raise StripeError("You cannot set a quantity for metered prices.", param=f"items[{index}][quantity]")
    period = period_of(subscription, price, at)
    if item and item["price"]["recurring"] == price["recurring"]:
        period = {"start": item["current_period_start"], "end": item["current_period_end"]}
    made = make_item_of_subscription(
        simulator,
        subscription["id"],
        price,
        quantity=change.get("quantity", item.get("quantity", 1) if item else 1),
        metadata=merged_metadata(item and item["metadata"], change.get("metadata")),
        period=period,
        discounts=item["discounts"] if item else [],
        tax_rates=item["tax_rates"] if item else [],
    )
    if item:
        made |= {"id": item["id"], "created": item["created"]}
    if "tax_rates" in change:
        made["tax_rates"] = find_rates(simulator, change["tax_rates"], param=f"items[{index}][tax_rates]")
    if "discounts" in change:
        made["discounts"] = redeemed(
            simulator,
            change["discounts"],
            customer=subscription["customer"],
            currency=subscription["currency"],
            param=f"items[{index}][discounts]",
            inherited=[*made["discounts"], *subscription["discounts"]],
            subscription=subscription["id"],
            subscription_item=made["id"],
        )
    return made


def _check(items: list[Json]) -> None:
    if not items:
        raise StripeError("A subscription must have at least one active item.", param="items")
    if len(items) > MOST_ITEMS:
        raise StripeError(f"A subscription can have at most {MOST_ITEMS} items.", param="items")
    prices = [item["price"]["id"] for item in items]
    if len(set(prices)) < len(prices):
        raise StripeError(
            "Cannot add multiple subscription items with the same price. Change the quantity instead.",
            param="items",
        )
