"""Setup intents, as Checkout sessions make them (https://docs.stripe.com/api/setup_intents)."""

from typing import Any

from stripe_simulator.endpoints import endpoint
from stripe_simulator.simulator import Simulator, new_id

Json = dict[str, Any]


def make_setup_intent(
    simulator: Simulator, *, customer: str | None, description: str | None, metadata: Json
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
        payment_method_options={
            "card": {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"}
        },
        payment_method_types=["card"],
        single_use_mandate=None,
        status="requires_payment_method",
        usage="off_session",
    )
    intent["client_secret"] = new_id(f"{intent['id']}_secret")
    simulator.save(intent)
    simulator.emit("setup_intent.created", intent)
    return intent


@endpoint("setup_intents.retrieve", "client_secret")
def retrieve(simulator: Simulator, _params: Json, identifier: str) -> Json:
    return simulator.find("setup_intent", identifier)
