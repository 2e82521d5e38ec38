"""What we ask of Stripe to let a subscription begin and end.

All raise GatewayUnavailable, GatewayRefused, GatewayMissing and GatewayForbidden. A change takes the
idempotency key that the caller has saved before.
"""

from typing import Any

from billing.gateway import reading
from billing.gateway.client import call
from billing.gateway.lists import PAGE, all_of
from billing.gateway.records import SubscriptionSession


def create_subscription_session(*, params: dict[str, Any], idempotency_key: str) -> SubscriptionSession:
    """``params``: of https://docs.stripe.com/api/checkout/sessions/create, as saved with the operation."""
    made = call(
        lambda stripe_: stripe_.v1.checkout.sessions.create(
            params,  # type: ignore[arg-type] # saved as JSON
            {"idempotency_key": idempotency_key},
        )
    )
    return reading.subscription_session(made.to_dict())


def subscription_session(session_id: str) -> SubscriptionSession:
    found = call(lambda stripe_: stripe_.v1.checkout.sessions.retrieve(session_id))
    return reading.subscription_session(found.to_dict())


def find_subscription_session(*, customer_id: str, operation_id: object) -> SubscriptionSession | None:
    """The session that an operation made, when we never heard how it ended."""
    made = all_of(lambda stripe_: stripe_.v1.checkout.sessions.list({"customer": customer_id, "limit": PAGE}))
    return next(
        (reading.subscription_session(body) for body in made if reading.is_of(operation_id, body)), None
    )


def expire_session(*, session_id: str, idempotency_key: str) -> SubscriptionSession:
    """Close an open page of Stripe's. Raises GatewayRefused where it isn't open any more."""
    expired = call(
        lambda stripe_: stripe_.v1.checkout.sessions.expire(
            session_id, options={"idempotency_key": idempotency_key}
        )
    )
    return reading.subscription_session(expired.to_dict())


def end_subscription_with_period(
    *, subscription_id: str, feedback: str, comment: str, idempotency_key: str
) -> None:
    """Let a subscription end with its period. ``feedback``: a code of Stripe's, or empty, as ``comment``.

    https://docs.stripe.com/api/subscriptions/update#update_subscription-cancellation_details-feedback
    """
    details: Any = {"feedback": feedback, "comment": comment}
    call(
        lambda stripe_: stripe_.v1.subscriptions.update(
            subscription_id,
            {"cancel_at_period_end": True, "cancellation_details": details},
            {"idempotency_key": idempotency_key},
        )
    )


def keep_subscription(*, subscription_id: str, idempotency_key: str) -> None:
    """Let a subscription that was to end with its period go on."""
    call(
        lambda stripe_: stripe_.v1.subscriptions.update(
            subscription_id, {"cancel_at_period_end": False}, {"idempotency_key": idempotency_key}
        )
    )


def end_subscription_now(*, subscription_id: str, idempotency_key: str) -> None:
    """End a subscription at once; what was paid for the time to come goes to the customer's balance.

    https://docs.stripe.com/billing/subscriptions/cancel#handle-prorations-when-canceling-subscriptions
    """
    call(
        lambda stripe_: stripe_.v1.subscriptions.cancel(
            subscription_id,
            {"invoice_now": True, "prorate": True},
            {"idempotency_key": idempotency_key},
        )
    )
