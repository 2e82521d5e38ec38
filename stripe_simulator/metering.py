"""How much was used: events of a meter, put together as the meter says (https://docs.stripe.com/api/billing/meter)."""

from decimal import Decimal
from typing import Any

from stripe_simulator.simulator import Simulator

Json = dict[str, Any]


def usage_of(simulator: Simulator, price: Json, customer: str, period: Json) -> int:
    """A customer's usage from the start of a period until before its end."""
    meter = simulator.find("billing.meter", price["recurring"]["meter"], param="meter")
    events = simulator.store.select(
        "billing.meter_event",
        where="AND customer = ? AND json_extract(body, '$.event_name') = ?"
        " AND json_extract(body, '$.timestamp') >= ? AND json_extract(body, '$.timestamp') < ?",
        values=(customer, meter["event_name"], period["start"], period["end"]),
    )
    key = meter["value_settings"]["event_payload_key"]
    values = [Decimal(event["payload"][key]) for event in events]
    match meter["default_aggregation"]["formula"]:
        case "count":
            return len(values)
        case "last":
            return int(values[0]) if values else 0
    return int(sum(values))
