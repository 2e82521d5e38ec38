"""The claim that a browser holds, in its session: the link's token itself is dropped at once."""

import uuid

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from invitations.models import Invitation
from invitations.standing import dead_because
from invitations.tokens import Channel, Claim

SESSION_KEY = "invitation_claim"


def keep_claim(session: SessionBase, claim: Claim) -> None:
    session[SESSION_KEY] = [str(claim.invitation_id), claim.generation, claim.channel.value]


def kept_claim(session: SessionBase) -> Claim | None:
    kept = session.get(SESSION_KEY)
    if kept is None:
        return None
    invitation_id, generation, channel = kept
    return Claim(uuid.UUID(invitation_id), generation, Channel(channel))


def forget_claim(session: SessionBase) -> None:
    session.pop(SESSION_KEY, None)


def claim_beyond_sign_out(session: SessionBase) -> Claim | None:
    """The claim that whoever uses this browser next may hold: one by link, not one by the account."""
    claim = kept_claim(session)
    return None if claim is None or claim.channel is Channel.ACCOUNT else claim


def live_invitation(request: HttpRequest) -> Invitation | None:
    """The invitation that this browser can still answer."""
    claim = kept_claim(request.session)
    if claim is None:
        return None
    invitation = Invitation.objects.select_related("organization").filter(pk=claim.invitation_id).first()
    return None if invitation is None or dead_because(invitation, claim) else invitation


def proven_address(request: HttpRequest) -> str:
    """The mail address that this browser's holder has proven to read, by a live link from our mail; or ""."""
    claim = kept_claim(request.session)
    if claim is None or claim.channel is not Channel.MAIL:
        return ""
    invitation = live_invitation(request)
    return invitation.email if invitation else ""
