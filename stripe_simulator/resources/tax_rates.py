"""Tax rates (https://docs.stripe.com/api/tax_rates)."""

from typing import Any

from stripe_simulator.endpoints import endpoint
from stripe_simulator.errors import StripeError
from stripe_simulator.fields import apply
from stripe_simulator.paging import page
from stripe_simulator.simulator import Simulator
from stripe_simulator.taxes import make_rate

Json = dict[str, Any]

NAMES = "active country description display_name jurisdiction state tax_type"


@endpoint("tax_rates.create", f"inclusive metadata percentage {NAMES}")
def create(simulator: Simulator, params: Json) -> Json:
    if not 0 <= params["percentage"] <= 100:
        raise StripeError("Invalid percentage: must be between 0 and 100.", param="percentage")
    rate = make_rate(simulator, inclusive=params["inclusive"], percentage=params["percentage"])
    apply(rate, params, NAMES)
    return simulator.save(rate, "tax_rate.created")


@endpoint("tax_rates.retrieve")
def retrieve(simulator: Simulator, _params: Json, identifier: str) -> Json:
    return simulator.find("tax_rate", identifier)


@endpoint("tax_rates.update", f"metadata {NAMES}")
def update(simulator: Simulator, params: Json, identifier: str) -> Json:
    rate = simulator.find("tax_rate", identifier)
    apply(rate, params, NAMES)
    return simulator.save(rate, "tax_rate.updated")


@endpoint("tax_rates.list", "active created inclusive")
def list_rates(simulator: Simulator, params: Json) -> Json:
    filters = {name: params.get(name) for name in ("active", "inclusive")}
    return page(simulator.store, "tax_rate", "/v1/tax_rates", params, filters=filters)
