"""Checkout sessions in setup mode (https://docs.stripe.com/api/checkout/sessions).

The API side is here; what the person does on the hosted page is in `complete`, `decline`,
`ask_for_authentication` and `fail_authentication`.
"""

from typing import Any

from stripe_simulator.due import DAY, HOUR
from stripe_simulator.endpoints import endpoint
from stripe_simulator.errors import InvalidParameterError, StripeError, not_simulated, required
from stripe_simulator.fields import apply, full_address
from stripe_simulator.paging import page
from stripe_simulator.resources.payment_methods import attach_method
from stripe_simulator.resources.setup_intents import make_setup_intent
from stripe_simulator.simulator import Simulator, new_id

Json = dict[str, Any]


@endpoint(
    "checkout.sessions.create",
    "cancel_url client_reference_id currency customer customer_email expires_at locale metadata mode"
    " allowed_payment_method_types setup_intent_data success_url ui_mode submit_type",
)
def create(simulator: Simulator, params: Json) -> Json:
    _check(simulator, params)
    customer = params.get("customer")
    setup = params.get("setup_intent_data", {})
    intent = make_setup_intent(
        simulator,
        customer=customer,
        description=setup.get("description"),
        metadata=setup.get("metadata") or {},
    )
    session = simulator.new(
        "checkout.session",
        "cs_test",
        adaptive_pricing=None,
        after_expiration=None,
        allow_promotion_codes=None,
        amount_subtotal=None,
        amount_total=None,
        automatic_tax={"enabled": False, "liability": None, "provider": None, "status": None},
        billing_address_collection=None,
        cancel_url=None,
        client_reference_id=None,
        client_secret=None,
        collected_information=None,
        consent=None,
        consent_collection=None,
        currency=None,
        currency_conversion=None,
        custom_fields=[],
        custom_text={
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        customer=customer,
        customer_account=None,
        customer_creation=None,
        customer_details=None,
        customer_email=None,
        discounts=None,
        expires_at=params.get("expires_at", simulator.clock.now() + DAY),
        invoice=None,
        invoice_creation=None,
        locale=None,
        metadata=params.get("metadata") or {},
        mode="setup",
        origin_context=None,
        payment_intent=None,
        payment_link=None,
        payment_method_collection="always",
        payment_method_configuration_details=None,
        payment_method_options={"card": {"request_three_d_secure": "automatic"}},
        payment_method_types=["card"],
        payment_status="no_payment_required",
        permissions=None,
        recovered_from=None,
        saved_payment_method_options=None,
        setup_intent=intent["id"],
        shipping_address_collection=None,
        shipping_cost=None,
        shipping_options=[],
        status="open",
        submit_type=None,
        subscription=None,
        success_url=None,
        total_details=None,
        ui_mode="hosted_page",
        url=None,
        wallet_options=None,
    )
    session["id"] = new_id("cs_test", 58)
    plain = "cancel_url client_reference_id currency customer_email locale success_url submit_type"
    apply(session, params, plain)
    return simulator.save(session)


@endpoint("checkout.sessions.retrieve")
def retrieve(simulator: Simulator, _params: Json, identifier: str) -> Json:
    return simulator.find("checkout.session", identifier)


@endpoint("checkout.sessions.list", "created customer status")
def list_sessions(simulator: Simulator, params: Json) -> Json:
    filters = {"customer": params.get("customer"), "status": params.get("status")}
    return page(simulator.store, "checkout.session", "/v1/checkout/sessions", params, filters=filters)


def expire_session(simulator: Simulator, session: Json) -> Json:
    session["status"] = "expired"
    simulator.save(session)
    simulator.emit("checkout.session.expired", session)
    return session


def complete(simulator: Simulator, session: Json, method: Json) -> None:
    """Set the intent and the session done, and attach the card. The customer's default stays as it is."""
    session["status"] = "complete"
    billing = method["billing_details"]
    session["customer_details"] = {
        "address": full_address({"line1": ""}),
        "business_name": None,
        "email": session["customer_email"] or billing["email"],
        "individual_name": None,
        "name": billing["name"],
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }
    if session["customer"]:
        attach_method(simulator, method, session["customer"])
    else:
        simulator.save(method)
    intent = simulator.find("setup_intent", session["setup_intent"])
    intent |= {
        "status": "succeeded",
        "payment_method": method["id"],
        "last_setup_error": None,
        "next_action": None,
    }
    simulator.save(intent)
    simulator.emit("setup_intent.succeeded", intent)
    simulator.save(session)
    simulator.emit("checkout.session.completed", session)


def ask_for_authentication(simulator: Simulator, session: Json, method: Json, url: str) -> None:
    """Keep the card, unattached, until the person has answered the bank's question."""
    simulator.save(method)
    intent = simulator.find("setup_intent", session["setup_intent"])
    intent |= {
        "status": "requires_action",
        "payment_method": method["id"],
        "last_setup_error": None,
        "next_action": {"type": "redirect_to_url", "redirect_to_url": {"return_url": None, "url": url}},
    }
    simulator.save(intent)
    simulator.emit("setup_intent.requires_action", intent)


def decline(simulator: Simulator, session: Json, method: Json, *, code: str, message: str) -> None:
    """Record that the card was not accepted. The session stays open for another try."""
    intent = simulator.find("setup_intent", session["setup_intent"])
    error = {"type": "card_error", "code": code, "message": message, "payment_method": method}
    if code == "card_declined":
        error["decline_code"] = "generic_decline"
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "next_action": None,
        "last_setup_error": error,
    }
    simulator.save(intent)
    simulator.emit("setup_intent.setup_failed", intent)


def _check(simulator: Simulator, params: Json) -> None:
    if params.get("mode") != "setup":
        raise not_simulated("knows Checkout sessions with mode=setup only", "mode")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise not_simulated("knows hosted Checkout pages only", "ui_mode")
    for name in ("success_url", *(() if "allowed_payment_method_types" in params else ("currency",))):
        if name not in params:
            raise required(name)
    if params.get("allowed_payment_method_types", ["card"]) != ["card"]:
        raise not_simulated("knows cards only", "allowed_payment_method_types")
    for name in ("success_url", "cancel_url"):
        if not params.get(name, "https://").startswith(("http://", "https://")):
            raise InvalidParameterError("Not a valid URL", code="url_invalid", param=name)
    if "customer" in params:
        simulator.find("customer", params["customer"], param="customer")
    now = simulator.clock.now()
    if not now + HOUR // 2 - 60 <= params.get("expires_at", now + DAY) <= now + DAY:
        raise StripeError(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.",
            param="expires_at",
        )
