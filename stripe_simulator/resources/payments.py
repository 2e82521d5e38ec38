"""What was paid, to read: payment intents, charges and invoice payments."""

from typing import Any

from stripe_simulator.endpoints import endpoint
from stripe_simulator.paging import page
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]


@endpoint("payment_intents.retrieve")
def retrieve_intent(simulator: Simulator, _params: Json, identifier: str) -> Json:
    return simulator.find("payment_intent", identifier)


@endpoint("payment_intents.list", "created customer")
def list_intents(simulator: Simulator, params: Json) -> Json:
    filters = {"customer": params.get("customer")}
    return page(simulator.store, "payment_intent", "/v1/payment_intents", params, filters=filters)


@endpoint("charges.retrieve")
def retrieve_charge(simulator: Simulator, _params: Json, identifier: str) -> Json:
    return simulator.find("charge", identifier)


@endpoint("charges.list", "created customer payment_intent")
def list_charges(simulator: Simulator, params: Json) -> Json:
    filters = {"customer": params.get("customer"), "payment_intent": params.get("payment_intent")}
    return page(simulator.store, "charge", "/v1/charges", params, filters=filters)


@endpoint("invoice_payments.retrieve")
def retrieve_payment(simulator: Simulator, _params: Json, identifier: str) -> Json:
    return simulator.find("invoice_payment", identifier)


@endpoint("invoice_payments.list", "created invoice payment status")
def list_payments(simulator: Simulator, params: Json) -> Json:
    intent = params.get("payment", {}).get("payment_intent")
    filters = {
        "invoice": params.get("invoice"),
        "payment.payment_intent": intent,
        "status": params.get("status"),
    }
    return page(simulator.store, "invoice_payment", "/v1/invoice_payments", params, filters=filters)
