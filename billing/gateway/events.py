"""Webhooks: whether they are Stripe's, and what of them we keep."""

import json
import time
from typing import Any

import stripe
from django.conf import settings

from billing.gateway.errors import ForgedEventError
from billing.gateway.reading import id_of
from billing.gateway.records import IncomingEvent

# https://docs.stripe.com/webhooks#replay-attacks
TOLERANCE_SECONDS = 300


def verified_event(payload: bytes, signature: str) -> IncomingEvent:
    """The event in a webhook's body. Raises ForgedEventError: not signed for us, altered, old, not ours."""
    try:
        stripe.WebhookSignature.verify_header(
            payload.decode(), signature, settings.STRIPE_WEBHOOK_SECRET, TOLERANCE_SECONDS
        )
        _refuse_future(signature)
        body = json.loads(payload)
        event = _read(body)
    except stripe.SignatureVerificationError as error:
        raise ForgedEventError(str(error)) from error
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ForgedEventError(f"No event of Stripe: {error!r}") from error
    if event.livemode != _is_live():
        raise ForgedEventError("An event of the other mode, live or test.")
    return event


def _read(body: dict[str, Any]) -> IncomingEvent:
    data = body["data"]
    subject = data["object"]
    return IncomingEvent(
        id=_text(body["id"], 100),
        type=_text(body["type"], 100),
        object_id=_text(subject.get("id") or "", 200),
        customer_id=_text(_customer_of(subject, data.get("previous_attributes") or {}), 100),
        livemode=bool(body["livemode"]),
        api_version=_text(body.get("api_version") or "", 40),
        payload=_without_secrets(body),
    )


def _customer_of(subject: dict[str, Any], previous: dict[str, Any]) -> str:
    if subject.get("object") == "customer":
        return str(subject["id"])
    # A detached payment method no longer says whose it was, but the event does.
    return id_of(subject.get("customer")) or id_of(previous.get("customer"))


def _text(value: Any, length: int) -> str:
    if not isinstance(value, str) or len(value) > length or "\0" in value:
        raise ValueError(f"not a text of at most {length} characters")
    return value


def _without_secrets(value: Any) -> Any:
    """Client secrets let whoever holds them act at Stripe; NUL is what Postgres can't store."""
    if isinstance(value, dict):
        return {key: _without_secrets(item) for key, item in value.items() if key != "client_secret"}
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    return value.replace("\0", "") if isinstance(value, str) else value


def _refuse_future(signature: str) -> None:
    """The library refuses what is old; a timestamp far ahead would make a signature last."""
    stamps = [part[2:] for part in signature.split(",") if part.startswith("t=")]
    if any(int(stamp) > time.time() + TOLERANCE_SECONDS for stamp in stamps):
        raise ForgedEventError("The signature's timestamp lies in the future.")


def _is_live() -> bool:
    """Secret and restricted keys name their mode: https://docs.stripe.com/keys."""
    return settings.STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_"))
