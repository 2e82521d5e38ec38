"""Webhooks: whether they are Stripe's, and what of them we keep."""

import json
import math
import time
from typing import Any

import stripe
from django.conf import settings

from billing.gateway.client import is_live
from billing.gateway.errors import ForgedEventError, UnusableEventError
from billing.gateway.reading import id_of
from billing.gateway.records import IncomingEvent

# https://docs.stripe.com/webhooks#replay-attacks
TOLERANCE_SECONDS = 300
# Stripe's own objects nest about ten deep.
DEEPEST = 50


def verified_event(payload: bytes, signature: str) -> IncomingEvent:
    """The event in a webhook's body.

    Raises ForgedEventError: not signed for us, altered, old. UnusableEventError: signed, but no event that
    can be read and kept, or one of the other mode.
    """
    text = _signed_text(payload, signature)
    try:
        body = json.loads(text, parse_float=_finite, parse_constant=_finite)
        event = _read(body)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise UnusableEventError(f"No event of Stripe: {error!r}") from error
    if event.livemode != is_live():
        raise UnusableEventError("An event of the other mode, live or test.")
    return event


def _signed_text(payload: bytes, signature: str) -> str:
    try:
        text = payload.decode()
        stripe.WebhookSignature.verify_header(
            text, signature, settings.STRIPE_WEBHOOK_SECRET, TOLERANCE_SECONDS
        )
        _refuse_future(signature)
    except (stripe.SignatureVerificationError, TypeError, ValueError) as error:
        # The library compares and counts what the header says as it stands: letters beyond ASCII, any number.
        raise ForgedEventError(str(error)) from error
    return text


def _read(body: dict[str, Any]) -> IncomingEvent:
    data = body["data"]
    subject = data["object"]
    if not isinstance(body["livemode"], bool):
        raise TypeError("livemode is neither true nor false")
    return IncomingEvent(
        event_id=_named(body["id"]),
        type=_named(body["type"]),
        object_id=_text(subject.get("id") or "", 200),
        customer_id=_text(_customer_of(subject, data.get("previous_attributes") or {}), 100),
        livemode=body["livemode"],
        api_version=_text(body.get("api_version") or "", 40),
        payload=_kept(body),
    )


def _customer_of(subject: dict[str, Any], previous: dict[str, Any]) -> Any:
    if subject.get("object") == "customer":
        return subject["id"]
    # A detached payment method no longer says whose it was, but the event does.
    return id_of(subject.get("customer")) or id_of(previous.get("customer"))


def _named(value: Any) -> str:
    if not value:
        raise ValueError("an event without an id or a type")
    return _text(value, 100)


def _text(value: Any, length: int) -> str:
    if not isinstance(value, str) or len(value) > length or "\0" in value:
        raise ValueError(f"not a text of at most {length} characters")
    return value


def _finite(digits: str) -> float:
    """A number as JSON means it. Python reads NaN, Infinity and 1e400 too, which Postgres can't store."""
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"no number: {digits[:40]}")
    return number


def _kept(value: Any, depth: int = 0) -> Any:
    """What we keep of an event: no client secrets, with which anyone could act at Stripe, and no NUL.

    Raises ValueError for what Postgres can't store or no reader of ours could walk through.
    """
    if depth > DEEPEST:
        raise ValueError("nested too deep")
    if isinstance(value, dict):
        return {_key(key): _kept(item, depth + 1) for key, item in value.items() if key != "client_secret"}
    if isinstance(value, list):
        return [_kept(item, depth + 1) for item in value]
    return _encodable(value).replace("\0", "") if isinstance(value, str) else value


def _key(key: str) -> str:
    if "\0" in key:
        raise ValueError("NUL in the name of a field")
    return _encodable(key)


def _encodable(text: str) -> str:
    """The text itself. JSON can spell half a surrogate pair, which is no text: encoding raises ValueError."""
    text.encode()
    return text


def _refuse_future(signature: str) -> None:
    """The library refuses what is old; a timestamp far ahead would make a signature last."""
    stamps = [part[2:] for part in signature.split(",") if part.startswith("t=")]
    if any(int(stamp) > time.time() + TOLERANCE_SECONDS for stamp in stamps):
        raise ForgedEventError("The signature's timestamp lies in the future.")
