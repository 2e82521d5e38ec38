"""Billing meters and what they count (https://docs.stripe.com/api/billing/meter)."""

from typing import Any

from stripe_simulator.due import DAY
from stripe_simulator.endpoints import endpoint
from stripe_simulator.errors import StripeError, required
from stripe_simulator.fields import apply
from stripe_simulator.paging import page
from stripe_simulator.simulator import Simulator, new_id

Json = dict[str, Any]

OLDEST, NEWEST = 35 * DAY, 300
"""How many seconds an event may lie in the past and in the future."""


@endpoint(
    "billing.meters.create", "default_aggregation display_name event_name customer_mapping value_settings"
)
def create(simulator: Simulator, params: Json) -> Json:
    if _of_event(simulator, params["event_name"]):
        raise StripeError(
            f"An active meter already exists for the event name `{params['event_name']}`.", param="event_name"
        )
    mapping = params.get("customer_mapping", {"type": "by_id", "event_payload_key": "stripe_customer_id"})
    meter = simulator.new(
        "billing.meter",
        "mtr_test",
        customer_mapping=mapping,
        default_aggregation=params["default_aggregation"],
        display_name=params["display_name"],
        event_name=params["event_name"],
        event_time_window=None,
        status="active",
        status_transitions={"deactivated_at": None},
        updated=simulator.clock.now(),
        value_settings=params.get("value_settings", {"event_payload_key": "value"}),
    )
    return simulator.save(meter, "billing.meter.created")


@endpoint("billing.meters.retrieve")
def retrieve(simulator: Simulator, _params: Json, identifier: str) -> Json:
    return simulator.find("billing.meter", identifier)


@endpoint("billing.meters.update", "display_name")
def update(simulator: Simulator, params: Json, identifier: str) -> Json:
    meter = simulator.find("billing.meter", identifier)
    apply(meter, params, "display_name")
    meter["updated"] = simulator.clock.now()
    return simulator.save(meter, "billing.meter.updated")


@endpoint("billing.meters.list", "status")
def list_meters(simulator: Simulator, params: Json) -> Json:
    filters = {"status": params.get("status")}
    return page(simulator.store, "billing.meter", "/v1/billing/meters", params, filters=filters)


@endpoint("billing.meter_events.create", "event_name identifier payload timestamp")
def create_event(simulator: Simulator, params: Json) -> Json:
    meters = _of_event(simulator, params["event_name"])
    if not meters:
        raise StripeError(
            f"No active meter found matching event name: {params['event_name']}", param="event_name"
        )
    customer = _checked_customer(simulator, meters[0], params["payload"])
    now = simulator.clock.now()
    moment = params.get("timestamp", now)
    if not now - OLDEST <= moment <= now + NEWEST:
        raise StripeError(
            "The timestamp must be within the past 35 days or up to 5 minutes in the future.",
            code="timestamp_out_of_range",
            param="timestamp",
        )
    identifier = params.get("identifier") or new_id("mev")
    if simulator.store.get(f"mev_{identifier}"):
        raise StripeError(
            f"An event already exists with identifier {identifier}.", code="duplicate_meter_event"
        )
    shown = simulator.new(
        "billing.meter_event",
        "mev",
        event_name=params["event_name"],
        identifier=identifier,
        payload=params["payload"],
        timestamp=moment,
    )
    del shown["id"]
    simulator.save({**shown, "id": f"mev_{identifier}", "customer": customer})
    return shown


def _of_event(simulator: Simulator, name: str) -> list[Json]:
    return simulator.store.select(
        "billing.meter",
        where="AND json_extract(body, '$.status') = 'active' AND json_extract(body, '$.event_name') = ?",
        values=(name,),
    )


def _checked_customer(simulator: Simulator, meter: Json, payload: Json) -> str:
    """The customer that the payload names. Stripe checks its value only later; here it is refused at once."""
    customer_key = meter["customer_mapping"]["event_payload_key"]
    value_key = meter["value_settings"]["event_payload_key"]
    counts_value = meter["default_aggregation"]["formula"] != "count"
    for key in (customer_key, *((value_key,) if counts_value else ())):
        if key not in payload:
            raise required(f"payload[{key}]")
    try:
        int(payload.get(value_key, "0"))
    except ValueError:
        raise StripeError(
            f"Invalid value: `{payload[value_key]}` is no whole number.",
            code="meter_event_invalid_value",
            param=f"payload[{value_key}]",
        ) from None
    return str(simulator.find("customer", payload[customer_key], param=f"payload[{customer_key}]")["id"])
