"""Customers' tax ids (https://docs.stripe.com/api/tax_ids)."""

from typing import Any

from stripe_simulator.endpoints import endpoint
from stripe_simulator.errors import missing
from stripe_simulator.paging import page
from stripe_simulator.registers import ask_register
from stripe_simulator.simulator import Simulator
from stripe_simulator.tax_id_values import checked_value

Json = dict[str, Any]


def add_tax_id(simulator: Simulator, customer: str, params: Json) -> Json:
    value = checked_value(params["type"], params["value"])
    tax_id = simulator.new(
        "tax_id",
        "txi",
        country=value[:2] if params["type"] == "eu_vat" else params["type"][:2].upper(),
        customer=customer,
        owner={"type": "customer", "customer": customer},
        type=params["type"],
        value=value,
        verification=None,
    )
    ask_register(simulator, tax_id)
    simulator.save(tax_id)
    simulator.emit("customer.tax_id.created", tax_id)
    return tax_id


@endpoint("customers.tax_ids.create", "type value")
def create(simulator: Simulator, params: Json, customer: str) -> Json:
    simulator.find("customer", customer)
    return add_tax_id(simulator, customer, params)


@endpoint("customers.tax_ids.list")
def list_tax_ids(simulator: Simulator, params: Json, customer: str) -> Json:
    simulator.find("customer", customer)
    return page(
        simulator.store, "tax_id", f"/v1/customers/{customer}/tax_ids", params, filters={"customer": customer}
    )


@endpoint("customers.tax_ids.delete")
def delete(simulator: Simulator, _params: Json, customer: str, identifier: str) -> Json:
    tax_id = simulator.find("tax_id", identifier)
    if tax_id["customer"] != customer:
        raise missing("tax_id", identifier)
    simulator.emit("customer.tax_id.deleted", tax_id)
    return simulator.save({"id": identifier, "object": "tax_id", "deleted": True})
