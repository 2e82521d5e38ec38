"""Events (https://docs.stripe.com/api/events)."""

from typing import Any

from stripe_simulator.endpoints import endpoint
from stripe_simulator.paging import page
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]


@endpoint("events.list", "created delivery_success type types")
def list_events(simulator: Simulator, params: Json) -> Json:
    where = ""
    if "delivery_success" in params:
        undelivered = "(SELECT 1 FROM deliveries WHERE event = objects.id AND state != 'delivered')"
        where = f"AND {'NOT ' if params['delivery_success'] else ''}EXISTS {undelivered}"
    filters = {"type": params.get("types") or params.get("type")}
    return page(simulator.store, "event", "/v1/events", params, filters=filters, where=where)
