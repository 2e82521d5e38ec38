"""What a visitor holds of an invitation, by the signed token in a link or by their account.

No secret is stored, and a link can be made again any time. The session keeps the claims of links; the token
is dropped at once. Several claims stand side by side, each opened in a tab of its own. They stay when an
invitation is answered, so that a page which is still open can say what became of it.
"""

import base64
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.core.signing import BadSignature, Signer
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from accounts.models import User
from invitations.models import Invitation, Kind, State
from invitations.refusals import Reason

SHAPE = re.compile(r"(?P<channel>[ml])(?P<id>[\w-]{22})(?P<generation>[0-9]{1,9})", re.ASCII)
# A whole token: what SHAPE says, and a signature of 32 bytes.
WHOLE = re.compile(rf"{SHAPE.pattern}\.[\w-]{{43}}", re.ASCII)
SESSION_KEY = "invitation_claims"
# A session is read with each page, so it must stay small.
MOST_CLAIMS = 20

ENDED = {
    State.ACCEPTED: Reason.USED,
    State.DECLINED: Reason.DECLINED,
    State.REVOKED: Reason.REVOKED,
    State.EXPIRED: Reason.EXPIRED,
}


class Channel(StrEnum):
    """How a link left us. Only MAIL proves that its holder reads the invited address.

    ACCOUNT is no link: the person is signed in to an account that has the invited address, verified.
    """

    MAIL = "m"
    LINK = "l"
    ACCOUNT = "a"


@dataclass(frozen=True)
class Claim:
    """What a visitor holds. Whether it opens the invitation now, ``refusal_of`` tells."""

    invitation_id: uuid.UUID
    generation: int
    channel: Channel


class BadToken(ValueError):
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


def refusal_of(invitation: Invitation, claim: Claim) -> Reason | None:
    """Why nobody can accept by this claim; None while it opens its invitation."""
    if invitation.ended_because:
        return Reason(invitation.ended_because)
    if invitation.state != State.PENDING:
        return ENDED[State(invitation.state)]
    if invitation.generation != claim.generation:
        return Reason.SUPERSEDED
    return Reason.EXPIRED if invitation.is_overdue else None


def keep_claim(session: SessionBase, claim: Claim) -> None:
    others = [kept for kept in kept_claims(session) if kept != claim]
    session[SESSION_KEY] = [
        [str(kept.invitation_id), kept.generation, kept.channel.value]
        for kept in [*others, claim][-MOST_CLAIMS:]
    ]


def kept_claims(session: SessionBase) -> list[Claim]:
    """The browser's claims, the one opened last at the end."""
    return [
        Claim(uuid.UUID(invitation_id), generation, Channel(channel))
        for invitation_id, generation, channel in session.get(SESSION_KEY, [])
    ]


def claims_on(request: HttpRequest, invitation_id: uuid.UUID) -> Iterator[Claim]:
    """The visitor's claims on an invitation: first by the latest link opened here, then by the account."""
    by_link = _claim_by_link(request.session, invitation_id)
    if by_link is not None:
        yield by_link
    by_account = _claim_by_account(request.user, invitation_id)
    if by_account is not None:
        yield by_account


def _claim_by_link(session: SessionBase, invitation_id: uuid.UUID) -> Claim | None:
    """Of two links of one generation, the one from our mail proves more."""
    claims = [claim for claim in kept_claims(session) if claim.invitation_id == invitation_id]
    return max(claims, key=lambda claim: (claim.generation, claim.channel is Channel.MAIL), default=None)


def _claim_by_account(user: User | AnonymousUser, invitation_id: uuid.UUID) -> Claim | None:
    """The invitation is for a verified address of the person, or they held its link, or have accepted it."""
    if not user.is_authenticated:
        return None
    addresses = EmailAddress.objects.filter(user_id=user.pk, verified=True).values("email")
    theirs = Invitation.objects.filter(
        Q(email__in=addresses) | Q(accepted_by=user.pk) | Q(holders=user.pk), pk=invitation_id
    )
    generation = theirs.values_list("generation", flat=True).first()
    return None if generation is None else Claim(invitation_id, generation, Channel.ACCOUNT)


def live_invitations(request: HttpRequest) -> dict[Claim, Invitation]:
    """The invitations that this browser can still answer by its claims.

    First the one to whose page the request is to lead back, then the others, the latest opened first.
    """
    claims = kept_claims(request.session)
    if not claims:
        return {}
    ids = {claim.invitation_id for claim in claims}
    invitations = Invitation.objects.select_related("organization").in_bulk(ids)
    back_to = request.POST.get("next") or request.GET.get("next")
    live = {
        claim: invitations[claim.invitation_id]
        for claim in reversed(claims)
        if claim.invitation_id in invitations and refusal_of(invitations[claim.invitation_id], claim) is None
    }
    return dict(sorted(live.items(), key=lambda item: page_of(item[1]) != back_to))


def page_of(invitation: Invitation) -> str:
    """The path of the invitation's page, which names it and opens nothing by itself."""
    return reverse("invitation", args=[invitation.pk])


def proves_address(request: HttpRequest, address: str) -> bool:
    """Whether a live link from our mail has proven that this browser's holder reads that address."""
    return any(
        claim.channel is Channel.MAIL and invitation.email == address.lower()
        for claim, invitation in live_invitations(request).items()
    )


def invitation_to_answer(request: HttpRequest) -> Invitation | None:
    """The one to which signing in or up leads; None: no link that still works was opened in this browser."""
    return next(iter(live_invitations(request).values()), None)


def keep_for_account(request: HttpRequest, user: User) -> None:
    """Let the account hold the links that were opened in this browser.

    Its address has to be verified first, and the mail for that may be opened in another browser. No link
    goes into that mail: the address may be mistyped, and anyone with the link can join.
    """
    for invitation in live_invitations(request).values():
        if invitation.kind == Kind.LINK:
            invitation.holders.add(user)
