"""Legacy sources of customers (https://docs.stripe.com/api/cards, https://docs.stripe.com/api/sources)."""

from typing import Any

from stripe_simulator.endpoints import endpoint
from stripe_simulator.errors import StripeError, missing, not_simulated, required
from stripe_simulator.fields import merged_metadata
from stripe_simulator.paging import as_list
from stripe_simulator.simulator import Simulator
from stripe_simulator.sources import (
    BANK_TOKENS,
    KINDS,
    TOKENS,
    make_bank_source,
    make_card_source,
    make_source,
)

Json = dict[str, Any]


@endpoint("sources.create", "metadata token type")
def create_source(simulator: Simulator, params: Json) -> Json:
    for name in ("type", "token"):
        if name not in params:
            raise required(name)
    if params["type"] != "card":
        raise not_simulated("makes sources of cards only", "type")
    if params["token"] not in TOKENS:
        raise missing("token", params["token"], param="token")
    source = make_source(simulator, TOKENS[params["token"]])
    source["metadata"] = merged_metadata({}, params.get("metadata"))
    return simulator.save(source)


@endpoint("sources.retrieve")
def retrieve_source(simulator: Simulator, _params: Json, identifier: str) -> Json:
    return simulator.find("source", identifier)


@endpoint("customers.payment_sources.create", "metadata source")
def add(simulator: Simulator, params: Json, customer: str) -> Json:
    """The first source becomes the customer's default."""
    owner = simulator.find("customer", customer)
    source = _taken(simulator, params["source"], customer)
    source["metadata"] = merged_metadata(source["metadata"], params.get("metadata"))
    simulator.save(source)
    simulator.emit("customer.source.created", source)
    if owner["default_source"] is None:
        simulator.save({**owner, "default_source": source["id"]}, "customer.updated")
    return source


@endpoint("customers.payment_sources.list", "object")
def list_of_customer(simulator: Simulator, params: Json, customer: str) -> Json:
    simulator.find("customer", customer)
    kinds = [params["object"]] if "object" in params else list(KINDS)
    found = [
        source
        for kind in kinds
        for source in simulator.store.select(kind, where="AND customer = ?", values=(customer,))
    ]
    return as_list(found, f"/v1/customers/{customer}/sources")


@endpoint("customers.payment_sources.retrieve")
def retrieve(simulator: Simulator, _params: Json, customer: str, identifier: str) -> Json:
    return _found(simulator, customer, identifier)


@endpoint("customers.payment_sources.delete")
def delete(simulator: Simulator, _params: Json, customer: str, identifier: str) -> Json:
    source = _found(simulator, customer, identifier)
    owner = simulator.find("customer", customer)
    simulator.emit("customer.source.deleted", source)
    if owner["default_source"] == identifier:
        simulator.save({**owner, "default_source": None}, "customer.updated")
    return simulator.save({"id": identifier, "object": source["object"], "deleted": True})


def _taken(simulator: Simulator, named: str, customer: str) -> Json:
    """The source that a token stands for, or a source made before."""
    if named in TOKENS:
        return make_card_source(simulator, TOKENS[named], customer)
    if named in BANK_TOKENS:
        return make_bank_source(BANK_TOKENS[named], customer)
    source = simulator.find("source", named, param="source")
    if source.get("customer"):
        raise StripeError("This source has already been attached to a customer.", param="source")
    return {**source, "customer": customer}


def _found(simulator: Simulator, customer: str, identifier: str) -> Json:
    source = simulator.store.get(identifier)
    if (
        source is None
        or source.get("deleted")
        or source.get("customer") != customer
        or "simulated" not in source
    ):
        raise missing("source", identifier)
    return source
