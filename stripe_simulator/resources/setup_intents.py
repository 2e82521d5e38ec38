"""Setup intents and their attempts, as Checkout sessions make them (https://docs.stripe.com/api/setup_intents)."""

from typing import Any

from stripe_simulator.endpoints import endpoint
from stripe_simulator.errors import CardDeclinedError
from stripe_simulator.methods import shown_in_error
from stripe_simulator.outcomes import Refusal
from stripe_simulator.paging import page
from stripe_simulator.simulator import Simulator, new_id

Json = dict[str, Any]

OPTIONS: Json = {
    "card": {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"},
    "sepa_debit": {"mandate_options": {}},
    "bacs_debit": {"mandate_options": {}},
    "us_bank_account": {"verification_method": "automatic"},
    "link": {"persistent_token": None},
}


def make_setup_intent(
    simulator: Simulator,
    *,
    customer: str | None,
    description: str | None,
    metadata: Json,
    types: list[str],
) -> Json:
    intent = simulator.new(
        "setup_intent",
        "seti",
        application=None,
        automatic_payment_methods=None,
        cancellation_reason=None,
        client_secret=None,
        customer=customer,
        customer_account=None,
        description=description,
        flow_directions=None,
        last_setup_error=None,
        latest_attempt=None,
        mandate=None,
        metadata=metadata,
        next_action=None,
        on_behalf_of=None,
        payment_method=None,
        payment_method_configuration_details=None,
        payment_method_options={kind: OPTIONS[kind] for kind in types if kind in OPTIONS},
        payment_method_types=types,
        single_use_mandate=None,
        status="requires_payment_method",
        usage="off_session",
    )
    intent["client_secret"] = new_id(f"{intent['id']}_secret")
    simulator.save(intent)
    simulator.emit("setup_intent.created", intent)
    return intent


def add_attempt(simulator: Simulator, intent: Json, method: Json, *, status: str) -> Json:
    """Save an attempt to set up the method, or how one that waited ended. The caller saves the intent."""
    latest = simulator.store.get(intent["latest_attempt"] or "")
    if latest and latest["payment_method"] == method["id"]:
        return simulator.save({**latest, "status": status})
    kind = method["type"]
    attempt = simulator.new(
        "setup_attempt",
        "setatt",
        application=None,
        customer=intent["customer"],
        customer_account=None,
        flow_directions=None,
        on_behalf_of=None,
        payment_method=method["id"],
        payment_method_details={"type": kind, kind: _details(method)},
        setup_error=None,
        setup_intent=intent["id"],
        status=status,
        usage="off_session",
    )
    intent["latest_attempt"] = attempt["id"]
    return simulator.save(attempt)


def fail_setup(simulator: Simulator, intent: Json, method: Json, refusal: Refusal) -> None:
    simulator.save(method)
    error = CardDeclinedError(refusal, payment_method=shown_in_error(method)).error
    attempt = add_attempt(simulator, intent, method, status="failed")
    simulator.save({**attempt, "setup_error": error})
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "next_action": None,
        "last_setup_error": error,
    }
    simulator.save(intent)
    simulator.emit("setup_intent.setup_failed", intent)


@endpoint("setup_intents.retrieve", "client_secret")
def retrieve(simulator: Simulator, _params: Json, identifier: str) -> Json:
    return simulator.find("setup_intent", identifier)


@endpoint("setup_attempts.list", "created setup_intent")
def list_attempts(simulator: Simulator, params: Json) -> Json:
    filters = {"setup_intent": params["setup_intent"]}
    return page(simulator.store, "setup_attempt", "/v1/setup_attempts", params, filters=filters)


def _details(method: Json) -> Json:
    """What an attempt says of its method: little of a card, of iDEAL and Bancontact what they set up."""
    generated: Json = dict.fromkeys(
        ("generated_sepa_debit", "generated_sepa_debit_mandate", "iban_last4", "verified_name")
    )
    match method["type"]:
        case "card":
            names = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
            return {
                **{name: method["card"][name] for name in names},
                "network": method["card"]["brand"],
                "three_d_secure": None,
                "wallet": None,
            }
        case "ideal":
            return {**method["ideal"], **generated}
        case "bancontact":
            nothing: Json = dict.fromkeys(("bank_code", "bank_name", "bic", "preferred_language"))
            return {**nothing, **generated}
        case _:
            return {}
