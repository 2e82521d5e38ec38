"""What we ask of Stripe, one function for each question or change; about invoices, see ``invoicing``.

All raise GatewayUnavailable, GatewayRefused, GatewayMissing and GatewayForbidden. A change takes the
idempotency key that the caller has saved before.
"""

from datetime import datetime
from typing import Any

from billing.gateway import reading
from billing.gateway.client import call
from billing.gateway.errors import GatewayForbidden, GatewayMissing, GatewayRefused
from billing.gateway.lists import PAGE, Listed, all_of, read_each
from billing.gateway.records import CardSession, Customer, Subscription

EXPAND_CUSTOMER = ["invoice_settings.default_payment_method", "default_source", "tax_ids"]
EXPAND_SUBSCRIPTION = ["default_payment_method", "default_source"]
EXPAND_SCHEDULE = ["phases.items.price"]
EXPAND_SETUP = ["setup_intent.payment_method", "setup_intent.latest_attempt"]


def tags(organization_id: object, operation_id: object) -> dict[str, str]:
    """The metadata of what we make at Stripe."""
    return {reading.ORGANIZATION: str(organization_id), reading.OPERATION: str(operation_id)}


def create_customer(*, params: dict[str, Any], idempotency_key: str) -> Customer:
    """``params``: of https://docs.stripe.com/api/customers/create, as saved with the operation."""
    made = call(
        lambda stripe_: stripe_.v1.customers.create(
            params,  # type: ignore[arg-type] # saved as JSON
            {"idempotency_key": idempotency_key},
        )
    )
    return reading.customer(made.to_dict())


def find_customer(*, operation_id: object, since: datetime) -> Customer | None:
    """The customer that an operation made, when we never heard how it ended; ``since``: made no earlier."""
    made = all_of(
        lambda stripe_: stripe_.v1.customers.list({"created": {"gte": int(since.timestamp())}, "limit": PAGE})
    )
    return next((reading.customer(body) for body in made if reading.is_of(operation_id, body)), None)


def customer(customer_id: str) -> Customer:
    """The customer with all that is saved to pay with; a deleted one has nothing left."""
    try:
        found = call(lambda stripe_: stripe_.v1.customers.retrieve(customer_id, {"expand": EXPAND_CUSTOMER}))
    except (GatewayMissing, GatewayForbidden):
        raise
    except GatewayRefused:
        # A deleted customer has nothing left to expand.
        found = call(lambda stripe_: stripe_.v1.customers.retrieve(customer_id))
    body = found.to_dict()
    return reading.customer(body, [] if body.get("deleted") else _payment_methods(customer_id))


def _payment_methods(customer_id: str) -> list[dict[str, Any]]:
    return all_of(lambda stripe_: stripe_.v1.customers.payment_methods.list(customer_id, {"limit": PAGE}))


def rename_customer(*, customer_id: str, name: str, idempotency_key: str) -> None:
    call(
        lambda stripe_: stripe_.v1.customers.update(
            customer_id, {"name": name}, {"idempotency_key": idempotency_key}
        )
    )


def update_customer(*, customer_id: str, params: dict[str, Any], idempotency_key: str) -> None:
    """``params``: of https://docs.stripe.com/api/customers/update, as saved with the operation."""
    call(
        lambda stripe_: stripe_.v1.customers.update(
            customer_id,
            params,  # type: ignore[arg-type] # saved as JSON
            {"idempotency_key": idempotency_key},
        )
    )


def add_tax_id(*, customer_id: str, type_: str, value: str, idempotency_key: str) -> None:
    call(
        lambda stripe_: stripe_.v1.customers.tax_ids.create(
            customer_id,
            {"type": type_, "value": value},
            {"idempotency_key": idempotency_key},
        )
    )


def remove_tax_id(*, customer_id: str, tax_id: str, idempotency_key: str) -> None:
    call(
        lambda stripe_: stripe_.v1.customers.tax_ids.delete(
            customer_id, tax_id, options={"idempotency_key": idempotency_key}
        )
    )


def set_default_payment_method(*, customer_id: str, payment_method_id: str, idempotency_key: str) -> None:
    call(
        lambda stripe_: stripe_.v1.customers.update(
            customer_id,
            {"invoice_settings": {"default_payment_method": payment_method_id}},
            {"idempotency_key": idempotency_key},
        )
    )


def detach_payment_method(*, payment_method_id: str, idempotency_key: str) -> None:
    call(
        lambda stripe_: stripe_.v1.payment_methods.detach(
            payment_method_id, options={"idempotency_key": idempotency_key}
        )
    )


def create_card_session(*, params: dict[str, Any], idempotency_key: str) -> CardSession:
    """``params``: of https://docs.stripe.com/api/checkout/sessions/create, as saved with the operation."""
    made = call(
        lambda stripe_: stripe_.v1.checkout.sessions.create(
            params,  # type: ignore[arg-type] # saved as JSON
            {"idempotency_key": idempotency_key},
        )
    )
    return reading.card_session(made.to_dict())


def card_session(session_id: str) -> CardSession:
    found = call(lambda stripe_: stripe_.v1.checkout.sessions.retrieve(session_id, {"expand": EXPAND_SETUP}))
    body = found.to_dict()
    generated_id = reading.generated_method_id(body)
    if generated_id:
        # Too deep to be expanded: Stripe expands four levels.
        generated = call(lambda stripe_: stripe_.v1.payment_methods.retrieve(generated_id))
        body["setup_intent"]["payment_method"] = generated.to_dict()
    return reading.card_session(body)


def find_card_session(*, customer_id: str, operation_id: object) -> CardSession | None:
    """The session that an operation made, when we never heard how it ended."""
    made = all_of(lambda stripe_: stripe_.v1.checkout.sessions.list({"customer": customer_id, "limit": PAGE}))
    return next((reading.card_session(body) for body in made if reading.is_of(operation_id, body)), None)


def subscriptions(customer_id: str) -> Listed[Subscription]:
    """All of a customer, ended ones too."""
    found = all_of(
        lambda stripe_: stripe_.v1.subscriptions.list(
            {
                "customer": customer_id,
                "status": "all",
                "limit": PAGE,
                "expand": [f"data.{name}" for name in EXPAND_SUBSCRIPTION],
            }
        )
    )
    return read_each([_with_schedule(body) for body in found], reading.subscription)


def subscription(subscription_id: str) -> Subscription:
    found = call(
        lambda stripe_: stripe_.v1.subscriptions.retrieve(subscription_id, {"expand": EXPAND_SUBSCRIPTION})
    )
    return reading.subscription(_with_schedule(found.to_dict()))


def _with_schedule(body: dict[str, Any]) -> dict[str, Any]:
    """With what is planned for it, in place of the schedule's id: too deep to be expanded in a list."""
    if not body.get("schedule"):
        return body
    schedule = call(
        lambda stripe_: stripe_.v1.subscription_schedules.retrieve(
            body["schedule"], {"expand": EXPAND_SCHEDULE}
        )
    )
    return {**body, "schedule": schedule.to_dict()}


def set_subscription_payment_method(
    *, subscription_id: str, payment_method_id: str, idempotency_key: str
) -> None:
    call(
        lambda stripe_: stripe_.v1.subscriptions.update(
            subscription_id,
            {"default_payment_method": payment_method_id},
            {"idempotency_key": idempotency_key},
        )
    )
