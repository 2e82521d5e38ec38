"""Payment intents, charges and invoice payments (https://docs.stripe.com/api/payment_intents)."""

from typing import Any

from stripe_simulator.endpoints import endpoint
from stripe_simulator.errors import CardDeclinedError, StripeError, not_simulated, required
from stripe_simulator.fields import merged_metadata
from stripe_simulator.intents import confirm, make_intent
from stripe_simulator.outcomes import Refusal
from stripe_simulator.paging import page
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]


@endpoint(
    "payment_intents.create",
    "amount confirm currency customer description metadata off_session payment_method",
)
def create_intent(simulator: Simulator, params: Json) -> Json:
    """Charge a customer's method at once, apart from any invoice."""
    for name in ("customer", "payment_method"):
        if name not in params:
            raise required(name)
    if not params.get("confirm"):
        raise not_simulated("makes payment intents that are confirmed at once only", "confirm")
    if params["amount"] < 1:
        raise StripeError("This value must be greater than or equal to 1.", param="amount")
    simulator.find("customer", params["customer"], param="customer")
    method = simulator.find("payment_method", params["payment_method"], param="payment_method")
    if method["customer"] != params["customer"]:
        raise StripeError("The PaymentMethod does not belong to the Customer.", param="payment_method")
    intent = make_intent(
        simulator,
        amount=params["amount"],
        currency=params["currency"].lower(),
        customer=params["customer"],
        description=params.get("description"),
    )
    intent["metadata"] = merged_metadata({}, params.get("metadata"))
    intent = confirm(simulator, intent, method, on_session=not params.get("off_session", False))
    if intent["status"] == "requires_action" and params.get("off_session"):
        raise not_simulated("asks the person about a payment of their own only on an invoice", "off_session")
    error = intent["last_payment_error"]
    if error:
        refusal = Refusal(error["code"], error["message"], error.get("decline_code"))
        raise CardDeclinedError(refusal, payment_intent=simulator.presenter.present(intent))
    return intent


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
    filters = {"invoice": params.get("invoice"), "status": params.get("status")}
    wanted = params.get("payment", {})
    filters |= {f"payment.{name}": wanted.get(name) for name in ("payment_intent", "payment_record", "type")}
    return page(simulator.store, "invoice_payment", "/v1/invoice_payments", params, filters=filters)
