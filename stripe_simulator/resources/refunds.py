"""Refunds (https://docs.stripe.com/api/refunds). Of themselves they change no invoice."""

from typing import Any

from stripe_simulator.endpoints import endpoint
from stripe_simulator.errors import StripeError, required
from stripe_simulator.fields import apply, merged_metadata
from stripe_simulator.paging import page
from stripe_simulator.refunding import refund_charge
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]


@endpoint("refunds.create", "amount charge metadata payment_intent reason")
def create(simulator: Simulator, params: Json) -> Json:
    charge = params.get("charge")
    if "payment_intent" in params:
        intent = simulator.find("payment_intent", params["payment_intent"], param="payment_intent")
        charge = intent["latest_charge"]
        if charge is None:
            raise StripeError(
                f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
                param="payment_intent",
            )
    if charge is None:
        raise required("charge")
    return refund_charge(
        simulator,
        simulator.find("charge", charge, param="charge"),
        amount=params.get("amount"),
        reason=params.get("reason"),
        metadata=merged_metadata({}, params.get("metadata")),
    )


@endpoint("refunds.retrieve")
def retrieve(simulator: Simulator, _params: Json, identifier: str) -> Json:
    return simulator.find("refund", identifier)


@endpoint("refunds.update", "metadata")
def update(simulator: Simulator, params: Json, identifier: str) -> Json:
    refund = simulator.find("refund", identifier)
    apply(refund, params, "")
    return simulator.save(refund, "refund.updated")


@endpoint("refunds.list", "charge created payment_intent")
def list_refunds(simulator: Simulator, params: Json) -> Json:
    filters = {name: params.get(name) for name in ("charge", "payment_intent")}
    return page(simulator.store, "refund", "/v1/refunds", params, filters=filters)
