"""The signed links of invitations. Nothing secret is stored, and a link can be made again any time."""

import base64
import re
import uuid
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

SHAPE = re.compile(r"(?P<channel>[ml])(?P<id>[\w-]{22})(?P<generation>[0-9]{1,9})", re.ASCII)
# A whole token: what SHAPE says, and a signature of 32 bytes.
WHOLE = re.compile(rf"{SHAPE.pattern}\.[\w-]{{43}}", re.ASCII)


class Channel(StrEnum):
    """How a link left us. Only MAIL proves that its holder reads the invited address.

    ACCOUNT is no link: the person is signed in to an account that has the invited address, verified.
    """

    MAIL = "m"
    LINK = "l"
    ACCOUNT = "a"


@dataclass(frozen=True)
class Claim:
    """What a visitor's link, once verified, says. It may have been overtaken since: see ``dead_because``."""

    invitation_id: uuid.UUID
    generation: int
    channel: Channel


class BadToken(ValueError):  # noqa: N818 - the visitor's mistake, or mischief, no fault
    """No link that opens anything.

    ``whole``: nothing of it is missing, so it was signed with a key that is no longer in use, or altered.
    """

    def __init__(self, token: str) -> None:
        super().__init__()
        self.whole = WHOLE.fullmatch(token) is not None


def mint(claim: Claim) -> str:
    """The part of a link that opens an invitation: about 70 characters that need no quoting."""
    compact_id = base64.urlsafe_b64encode(claim.invitation_id.bytes).decode().rstrip("=")
    return _signer().sign(f"{claim.channel}{compact_id}{claim.generation}")


def claim_in(token: str) -> Claim:
    """Verify a token. Raises BadToken."""
    try:
        text = _signer().unsign(token)
    except BadSignature:
        raise BadToken(token) from None
    shape = SHAPE.fullmatch(text)
    if shape is None:
        raise BadToken(token)
    return Claim(
        invitation_id=uuid.UUID(bytes=base64.urlsafe_b64decode(shape["id"] + "==")),
        generation=int(shape["generation"]),
        channel=Channel(shape["channel"]),
    )


def link(claim: Claim) -> str:
    """The whole link, on SITE_URL: never on the host that a request names."""
    return settings.SITE_URL + reverse("invitation_token", args=[mint(claim)])


def _signer() -> Signer:
    first, *others = settings.INVITATION_SIGNING_KEYS
    return Signer(key=first, fallback_keys=others, salt="invitations.token", sep=".")
