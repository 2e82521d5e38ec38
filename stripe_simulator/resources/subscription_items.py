"""The items of a subscription that its parameters ask for."""

from typing import Any

from stripe_simulator.errors import StripeError, not_simulated, required
from stripe_simulator.fields import merged_metadata
from stripe_simulator.renewals import make_item_of_subscription
from stripe_simulator.resources.catalog import make_price
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]


def recurring_price(simulator: Simulator, item: Json, index: int) -> Json:
    param = f"items[{index}][price]"
    if "price_data" in item:
        return make_price(simulator, item["price_data"])
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


def changed_items(simulator: Simulator, subscription: Json, changes: list[Json]) -> list[Json]:
    items = {item["id"]: item for item in subscription["items"]["data"]}
    some = next(iter(items.values()))
    period = {"start": some["current_period_start"], "end": some["current_period_end"]}
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
        item = items.get(change.get("id", ""))
        if item is None or "price" in change or "price_data" in change:
            price = recurring_price(simulator, change, index)
            if (
                price["recurring"] != some["price"]["recurring"]
                or price["currency"] != subscription["currency"]
            ):
                raise not_simulated("keeps a subscription's interval and currency", f"items[{index}][price]")
        else:
            price = item["price"]
        made = make_item_of_subscription(
            simulator,
            subscription["id"],
            price,
            quantity=change.get("quantity", item["quantity"] if item else 1),
            metadata=merged_metadata(item and item["metadata"], change.get("metadata")),
            period=period,
        )
        if item:
            made |= {"id": item["id"], "created": item["created"]}
        items[made["id"]] = made
    if not items:
        raise StripeError("A subscription must have at least one active item.", param="items")
    return list(items.values())
