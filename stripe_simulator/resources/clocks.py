"""Test clocks (https://docs.stripe.com/api/test_clocks)."""

from typing import Any

from stripe_simulator.due import DAY
from stripe_simulator.endpoints import endpoint
from stripe_simulator.errors import StripeError
from stripe_simulator.frozen_time import KIND
from stripe_simulator.paging import page
from stripe_simulator.resources import customers
from stripe_simulator.schedule import run_due
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]

KEPT_DAYS = 30


@endpoint("test_helpers.test_clocks.create", "frozen_time name")
def create(simulator: Simulator, params: Json) -> Json:
    clock = simulator.new(
        KIND,
        "clock",
        deletes_after=simulator.clock.now() + KEPT_DAYS * DAY,
        frozen_time=params["frozen_time"],
        name=params.get("name"),
        status="ready",
        status_details={},
    )
    return simulator.save(clock, "test_helpers.test_clock.created")


@endpoint("test_helpers.test_clocks.retrieve")
def retrieve(simulator: Simulator, _params: Json, identifier: str) -> Json:
    return simulator.find(KIND, identifier)


@endpoint("test_helpers.test_clocks.list")
def list_clocks(simulator: Simulator, params: Json) -> Json:
    return page(simulator.store, KIND, "/v1/test_helpers/test_clocks", params)


@endpoint("test_helpers.test_clocks.advance", "frozen_time")
def advance(simulator: Simulator, params: Json, identifier: str) -> Json:
    """Do all that falls due for the clock's customers, at once; the answer says `advancing`."""
    clock = simulator.find(KIND, identifier)
    to = params["frozen_time"]
    if to <= clock["frozen_time"]:
        raise StripeError("The new frozen time must be after the current frozen time.", param="frozen_time")
    advancing = {**clock, "status": "advancing", "status_details": {"advancing": {"target_frozen_time": to}}}
    simulator.save(advancing)
    simulator.emit("test_helpers.test_clock.advancing", advancing)
    run_due(simulator, to, test_clock=identifier)
    ready = {**clock, "frozen_time": to, "status": "ready", "status_details": {}}
    simulator.save(ready)
    simulator.emit("test_helpers.test_clock.ready", ready)
    return advancing


@endpoint("test_helpers.test_clocks.delete")
def delete(simulator: Simulator, _params: Json, identifier: str) -> Json:
    """Its customers go with it."""
    clock = simulator.find(KIND, identifier)
    for customer in simulator.store.select(
        "customer", where="AND json_extract(body, '$.test_clock') = ?", values=(identifier,)
    ):
        customers.delete(simulator, {}, customer["id"])
    simulator.emit("test_helpers.test_clock.deleted", clock)
    return simulator.save({"id": identifier, "object": KIND, "deleted": True})
