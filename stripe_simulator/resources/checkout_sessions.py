"""Checkout sessions that save a payment method or start a subscription (https://docs.stripe.com/api/checkout/sessions).

What the person does on the hosted page is in `checkout_steps`.
"""

from typing import Any

from stripe_simulator.bank_accounts import NAMES, REUSABLE, offered_types
from stripe_simulator.checkout import expire_session
from stripe_simulator.due import DAY, HOUR
from stripe_simulator.endpoints import endpoint
from stripe_simulator.errors import InvalidParameterError, StripeError, not_simulated, required
from stripe_simulator.fields import apply
from stripe_simulator.invoicing import automatic_tax, require_location
from stripe_simulator.paging import page
from stripe_simulator.resources.previews import create_preview
from stripe_simulator.resources.setup_intents import make_setup_intent
from stripe_simulator.simulator import Simulator, new_id

Json = dict[str, Any]


@endpoint(
    "checkout.sessions.create",
    "automatic_tax.enabled cancel_url client_reference_id currency customer customer_email"
    " customer_update.address customer_update.name expires_at locale metadata mode"
    " allowed_payment_method_types line_items setup_intent_data submit_type subscription_data success_url"
    " ui_mode",
)
def create(simulator: Simulator, params: Json) -> Json:
    _check(simulator, params)
    wanted = (
        _subscription(simulator, params) if params["mode"] == "subscription" else _setup(simulator, params)
    )
    session = simulator.new(
        "checkout.session",
        "cs_test",
        adaptive_pricing=None,
        after_expiration=None,
        allow_promotion_codes=None,
        amount_subtotal=wanted["subtotal"],
        amount_total=wanted["amount"],
        automatic_tax=wanted["automatic_tax"],
        billing_address_collection=None,
        cancel_url=None,
        client_reference_id=None,
        client_secret=None,
        collected_information=None,
        consent=None,
        consent_collection=None,
        currency=wanted["currency"],
        currency_conversion=None,
        custom_fields=[],
        custom_text={
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        customer=params.get("customer"),
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
        mode=params["mode"],
        origin_context=None,
        payment_intent=None,
        payment_link=None,
        payment_method_collection="always",
        payment_method_configuration_details=None,
        payment_method_options={"card": {"request_three_d_secure": "automatic"}},
        payment_method_types=wanted["types"],
        payment_status="no_payment_required" if params["mode"] == "setup" else "unpaid",
        permissions=None,
        recovered_from=None,
        saved_payment_method_options=None,
        setup_intent=wanted["setup_intent"],
        shipping_address_collection=None,
        shipping_cost=None,
        shipping_options=[],
        status="open",
        submit_type=None,
        subscription=None,
        success_url=None,
        total_details=wanted["total_details"],
        ui_mode="hosted_page",
        url=None,
        wallet_options=None,
        simulated=wanted["simulated"],
    )
    session["id"] = new_id("cs_test", 58)
    plain = "cancel_url client_reference_id customer_email locale success_url submit_type"
    apply(session, params, plain)
    return simulator.save(session)


@endpoint("checkout.sessions.retrieve")
def retrieve(simulator: Simulator, _params: Json, identifier: str) -> Json:
    return simulator.find("checkout.session", identifier)


@endpoint("checkout.sessions.expire")
def expire(simulator: Simulator, _params: Json, identifier: str) -> Json:
    session = simulator.find("checkout.session", identifier)
    if session["status"] != "open":
        raise StripeError(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a'
            f" status of `{session['status']}`."
        )
    return expire_session(simulator, session)


@endpoint("checkout.sessions.list", "created customer status")
def list_sessions(simulator: Simulator, params: Json) -> Json:
    filters = {"customer": params.get("customer"), "status": params.get("status")}
    return page(simulator.store, "checkout.session", "/v1/checkout/sessions", params, filters=filters)


def _setup(simulator: Simulator, params: Json) -> Json:
    """What a session that saves a payment method holds of its own."""
    setup = params.get("setup_intent_data", {})
    currency = params.get("currency", "").lower() or None
    types = params.get("allowed_payment_method_types") or offered_types(currency, for_later=True)
    intent = make_setup_intent(
        simulator,
        customer=params.get("customer"),
        description=setup.get("description"),
        metadata=setup.get("metadata") or {},
        types=types,
    )
    return {
        "amount": None,
        "automatic_tax": _automatic_tax(enabled=False),
        "currency": currency,
        "setup_intent": intent["id"],
        "simulated": {},
        "subtotal": None,
        "total_details": None,
        "types": types,
    }


def _subscription(simulator: Simulator, params: Json) -> Json:
    """What a session that starts a subscription holds of its own."""
    items = [_item(given, index) for index, given in enumerate(params["line_items"])]
    data = dict(params.get("subscription_data", {}))
    for name in data:
        if name not in ("description", "metadata", "trial_end", "trial_period_days"):
            raise not_simulated(f"doesn't pass on {name}", f"subscription_data[{name}]")
    details: Json = {"items": [dict(item) for item in items]}
    if "trial_end" in data:
        details["trial_end"] = data["trial_end"]
    elif "trial_period_days" in data:
        details["trial_end"] = simulator.clock.now() + data["trial_period_days"] * DAY
    taxed = params.get("automatic_tax", {}).get("enabled", False)
    if taxed:
        _require_location(simulator, params)
        data["automatic_tax"] = {"enabled": True}
    preview = create_preview(
        simulator,
        {
            "customer": params["customer"],
            "subscription_details": details,
            "automatic_tax": {"enabled": taxed},
        },
    )
    currency = preview["currency"]
    return {
        "amount": preview["total"],
        "automatic_tax": _automatic_tax(enabled=taxed),
        "currency": currency,
        "setup_intent": None,
        "simulated": {"items": items, "subscription_data": data},
        "subtotal": preview["subtotal"],
        "total_details": {
            "amount_discount": 0,
            "amount_shipping": 0,
            "amount_tax": sum(tax["amount"] for tax in preview["total_taxes"] or []),
        },
        "types": params.get("allowed_payment_method_types") or offered_types(currency),
    }


def _automatic_tax(*, enabled: bool) -> Json:
    whole = {**automatic_tax(enabled=enabled), "status": "complete" if enabled else None}
    return {name: whole[name] for name in ("enabled", "liability", "provider", "status")}


def _require_location(simulator: Simulator, params: Json) -> None:
    """The page itself asks for no address, as Stripe's would with `customer_update[address]=auto`."""
    try:
        require_location(simulator, params["customer"])
    except StripeError:
        if params.get("customer_update", {}).get("address") == "auto":
            raise not_simulated("asks for no address on its page", "customer_update[address]") from None
        raise


def _item(given: Json, index: int) -> Json:
    for name in given:
        if name not in ("price", "quantity"):
            raise not_simulated("sells by `price` and `quantity` only", f"line_items[{index}][{name}]")
    if "price" not in given:
        raise required(f"line_items[{index}][price]")
    return {"price": given["price"], "quantity": given.get("quantity", 1)}


def _check(simulator: Simulator, params: Json) -> None:
    mode = params.get("mode")
    if mode not in ("setup", "subscription"):
        raise not_simulated("knows Checkout sessions with mode=setup and mode=subscription only", "mode")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise not_simulated("knows hosted Checkout pages only", "ui_mode")
    _check_mode(params)
    for kind in params.get("allowed_payment_method_types", []):
        if kind not in ("card", *NAMES) or (mode == "subscription" and kind in REUSABLE):
            raise not_simulated(f"doesn't offer {kind} here", "allowed_payment_method_types")
    for name in ("success_url", "cancel_url"):
        if not params.get(name, "https://").startswith(("http://", "https://")):
            raise InvalidParameterError("Not a valid URL", code="url_invalid", param=name)
    _check_customer(simulator, params)
    now = simulator.clock.now()
    if not now + HOUR // 2 - 60 <= params.get("expires_at", now + DAY) <= now + DAY:
        raise StripeError(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.",
            param="expires_at",
        )


def _check_customer(simulator: Simulator, params: Json) -> None:
    if "customer" in params:
        simulator.find("customer", params["customer"], param="customer")
        if "customer_email" in params:
            raise StripeError("You may only specify one of these parameters: customer, customer_email.")
    elif "customer_update" in params:
        raise StripeError("`customer_update` can only be used with `customer`.", param="customer_update")


def _check_mode(params: Json) -> None:
    """What each mode can't do without, and what it doesn't take."""
    needed, foreign = ["success_url"], ["line_items", "subscription_data"]
    if params["mode"] == "subscription":
        needed, foreign = [*needed, "customer", "line_items"], ["setup_intent_data"]
    elif "allowed_payment_method_types" not in params:
        needed.append("currency")
    for name in needed:
        if not params.get(name):
            raise required(name)
    for name in foreign:
        if name in params:
            raise StripeError(f"You can not pass `{name}` in `{params['mode']}` mode.", param=name)
