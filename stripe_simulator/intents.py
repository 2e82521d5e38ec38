"""Payment intents (https://docs.stripe.com/api/payment_intents), and what becomes of confirming one."""

from typing import Any

from stripe_simulator.charges import await_charge, end_charge, make_charge
from stripe_simulator.due import DAY
from stripe_simulator.errors import CardDeclinedError, StripeError
from stripe_simulator.methods import shown_in_error
from stripe_simulator.outcomes import Refusal, is_asked, outcome_of
from stripe_simulator.simulator import Simulator, new_id

Json = dict[str, Any]

NOT_AUTHENTICATED = Refusal(
    "payment_intent_authentication_failure",
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new "
    "PaymentMethod to attempt to fulfill this PaymentIntent again.",
)
FOREVER = 10**11
"""A moment that no test reaches, in seconds since the epoch."""


def make_intent(
    simulator: Simulator, *, amount: int, currency: str, customer: str | None, description: str | None
) -> Json:
    """Save a payment intent without a payment method. Amounts in minor units."""
    intent = simulator.new(
        "payment_intent",
        "pi",
        amount=amount,
        amount_capturable=0,
        amount_received=0,
        application=None,
        application_fee_amount=None,
        automatic_payment_methods=None,
        canceled_at=None,
        cancellation_reason=None,
        capture_method="automatic",
        client_secret=None,
        confirmation_method="automatic",
        currency=currency,
        customer=customer,
        customer_account=None,
        description=description,
        last_payment_error=None,
        latest_charge=None,
        metadata={},
        next_action=None,
        on_behalf_of=None,
        payment_method=None,
        payment_method_configuration_details=None,
        payment_method_options={},
        payment_method_types=["card"],
        processing=None,
        receipt_email=None,
        review=None,
        setup_future_usage=None,
        shipping=None,
        source=None,
        statement_descriptor=None,
        statement_descriptor_suffix=None,
        status="requires_payment_method",
        transfer_data=None,
        transfer_group=None,
    )
    intent["client_secret"] = new_id(f"{intent['id']}_secret")
    simulator.save(intent)
    simulator.emit("payment_intent.created", intent)
    return intent


def confirm(simulator: Simulator, intent: Json, method: Json, *, on_session: bool) -> Json:
    """Charge the method; the intent's status tells what came of it.

    `on_session`: the person is there to answer their bank. Raises StripeError while a charge is under way.
    """
    if intent["status"] in ("processing", "succeeded", "canceled"):
        raise StripeError(
            f"This PaymentIntent's payment_method could not be updated because it has a status of "
            f"{intent['status']}. You may only update the payment_method of a PaymentIntent with one of the "
            "following statuses: requires_payment_method, requires_confirmation, requires_action.",
            code="payment_intent_unexpected_state",
        )
    if method["type"] not in intent["payment_method_types"]:
        intent["payment_method_types"].append(method["type"])
    intent |= _names_of(method)
    if is_asked(method, on_session=on_session):
        return _ask(simulator, intent)
    return _charge(simulator, intent, method)


def answer_authentication(simulator: Simulator, intent: Json, method: Json, *, succeed: bool) -> Json:
    """The person answered the bank's question."""
    if succeed:
        return _charge(simulator, intent, method)
    return _fail(simulator, intent, method, NOT_AUTHENTICATED)


def settle(simulator: Simulator, intent: Json, method: Json) -> Json:
    """The bank has decided a debit that was under way."""
    charge = simulator.find("charge", intent["latest_charge"])
    return _end(simulator, intent, method, charge)


def _charge(simulator: Simulator, intent: Json, method: Json) -> Json:
    charge = make_charge(simulator, intent, method)
    intent |= {"latest_charge": charge["id"], "next_action": None, "last_payment_error": None}
    days = outcome_of(method).days
    if days == 0:
        return _end(simulator, intent, method, charge)
    settles_at = FOREVER if days is None else simulator.clock.now() + days * DAY
    intent |= {"status": "processing", "simulated": {"settles_at": settles_at}}
    await_charge(simulator, charge)
    return _told(simulator, intent, "payment_intent.processing")


def _end(simulator: Simulator, intent: Json, method: Json, charge: Json) -> Json:
    refusal = outcome_of(method).refusal
    end_charge(simulator, charge, refusal)
    if refusal:
        return _fail(simulator, intent, method, refusal, charge=charge["id"])
    intent |= {
        "status": "succeeded",
        "amount_received": intent["amount"],
        "last_payment_error": None,
        "next_action": None,
        "simulated": {},
    }
    return _told(simulator, intent, "payment_intent.succeeded")


def _fail(simulator: Simulator, intent: Json, method: Json, refusal: Refusal, **details: Any) -> Json:
    error = CardDeclinedError(refusal, payment_method=shown_in_error(method), **details).error
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "source": None,
        "next_action": None,
        "last_payment_error": error,
        "simulated": {},
    }
    return _told(simulator, intent, "payment_intent.payment_failed")


def _ask(simulator: Simulator, intent: Json) -> Json:
    intent |= {
        "status": "requires_action",
        "last_payment_error": None,
        "next_action": {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": ""},
        },
    }
    return _told(simulator, intent, "payment_intent.requires_action")


def _names_of(method: Json) -> Json:
    """How an intent names what it charges: a legacy source stands in a field of its own."""
    if method["object"] == "payment_method":
        return {"payment_method": method["id"], "source": None}
    return {"payment_method": None, "source": method["id"]}


def _told(simulator: Simulator, intent: Json, event: str) -> Json:
    simulator.save(intent)
    simulator.emit(event, intent)
    return intent
