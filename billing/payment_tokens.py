"""The signed part of a payment link. Nothing secret is stored, and a link can be copied again any time."""

import base64
import re
import uuid

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

SHAPE = re.compile(r"[\w-]{22}", re.ASCII)


class BadPaymentToken(ValueError):
    """No link that opens anything."""


def payment_url(link_id: uuid.UUID) -> str:
    """The whole link, on SITE_URL: never on the host that a request names."""
    compact = base64.urlsafe_b64encode(link_id.bytes).decode().rstrip("=")
    return settings.SITE_URL + reverse("pay", args=[_signer().sign(compact)])


def link_id_in(token: str) -> uuid.UUID:
    """Raises BadPaymentToken."""
    try:
        compact = _signer().unsign(token)
    except BadSignature:
        raise BadPaymentToken from None
    if SHAPE.fullmatch(compact) is None:
        raise BadPaymentToken
    return uuid.UUID(bytes=base64.urlsafe_b64decode(compact + "=="))


def _signer() -> Signer:
    """With the keys of links that open something; the salt keeps these apart from invitations."""
    first, *others = settings.INVITATION_SIGNING_KEYS
    return Signer(key=first, fallback_keys=others, salt="billing.payment_links", sep=".")
