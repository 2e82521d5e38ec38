"""The way of every call to Stripe: never inside a transaction, in bounded time, with errors of our own."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import stripe
import structlog
from django.conf import settings
from django.db import transaction

from billing.gateway.errors import (
    GatewayDeclined,
    GatewayForbidden,
    GatewayMissing,
    GatewayRefused,
    GatewayUnavailable,
    InsideTransactionError,
)
from billing.gateway.patience import answer_of

logger = structlog.get_logger(__name__)

# Raised deliberately, with the reading code: https://docs.stripe.com/changelog
API_VERSION = "2026-10-28.endive"
TIMEOUT_SECONDS = 8.0

Answer = TypeVar("Answer")

# The outcome of the request is unknown, or nothing is wrong with the request itself.
NO_ANSWER = (stripe.APIConnectionError, stripe.RateLimitError)
REFUSALS = {402: GatewayDeclined, 404: GatewayMissing}
SCOPE = re.compile(r"\brak_\w+")


def is_live() -> bool:
    """Secret and restricted keys name their mode: https://docs.stripe.com/keys."""
    return settings.STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_"))


def client() -> stripe.StripeClient:
    return _client(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE)


@cache
def _client(secret_key: str, api_base: str) -> stripe.StripeClient:
    """The library itself never retries: our operations do, and know what they have asked before."""
    return stripe.StripeClient(
        secret_key,
        stripe_version=API_VERSION,
        base_addresses={"api": api_base} if api_base else None,
        max_network_retries=0,
        http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
    )


def call(ask: Callable[[stripe.StripeClient], Answer]) -> Answer:
    """Ask Stripe.

    Raises GatewayUnavailable, GatewayRefused, GatewayDeclined, GatewayMissing, GatewayForbidden and
    InsideTransactionError.
    """
    refuse_inside_transaction()
    try:
        return answer_of(lambda: ask(client()))
    except stripe.AuthenticationError as error:
        # A new key makes all of it work again, so that nothing is given up; but no time alone does.
        logger.error("stripe_key_refused", reason=str(error))
        raise GatewayUnavailable(str(error)) from error
    except stripe.PermissionError as error:
        raise _forbidden(error) from error
    except NO_ANSWER as error:
        logger.warning("stripe_unavailable", reason=str(error))
        raise GatewayUnavailable(str(error)) from error
    except stripe.StripeError as error:
        raise _translated(error) from error


def refuse_inside_transaction() -> None:
    """Raise InsideTransactionError inside a transaction, a test's own around the whole test aside.

    A durable block refuses to be nested; it sends nothing to the database as long as nothing is asked in it.
    """
    try:
        with transaction.atomic(durable=True):
            pass
    except RuntimeError as error:
        raise InsideTransactionError("Stripe was called inside a transaction.") from error


def _translated(error: stripe.StripeError) -> GatewayUnavailable | GatewayRefused:
    status = error.http_status or 0
    code = _decline_of(error) or error.code or _type_of(error)
    if status >= 500 or status == 409 or not status:
        replayed = status >= 500 and _header(error, "Idempotent-Replayed") == "true"
        logger.warning("stripe_unavailable", status=status, reason=str(error), request_id=error.request_id)
        return GatewayUnavailable(str(error), replayed=replayed)
    logger.info("stripe_refused", status=status, code=code, request_id=error.request_id)
    refusal = REFUSALS.get(status, GatewayRefused)
    return refusal(code, error.user_message or str(error), param=getattr(error, "param", None) or "")


def _forbidden(error: stripe.PermissionError) -> GatewayForbidden:
    message = error.user_message or str(error)
    forbidden = GatewayForbidden(message, scope=", ".join(SCOPE.findall(message)))
    logger.error(
        "stripe_forbidden", scope=forbidden.scope, reason=forbidden.message, request_id=error.request_id
    )
    return forbidden


def _decline_of(error: stripe.StripeError) -> str | None:
    """Why the bank refused, which says more than that it did."""
    return error.error.decline_code if error.error else None


def _type_of(error: stripe.StripeError) -> str:
    return error.error.type or "unknown" if error.error else "unknown"


def _header(error: stripe.StripeError, name: str) -> str | None:
    headers: Any = error.headers or {}
    return next((value for key, value in headers.items() if key.lower() == name.lower()), None)
