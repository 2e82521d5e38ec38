"""What the invited see."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from allauth.account.models import EmailAddress
from django.contrib.auth.models import AnonymousUser
from django.db.models import Func, IntegerField, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.functional import Promise

from accounts.models import User
from invitations.claims import Channel, Claim, refusal_of
from invitations.inviters import inviters_of
from invitations.models import Invitation, State
from invitations.refusals import Reason, sentence_for_invitee
from invitations.roles import WHAT_ROLE_DOES
from orgs.compiled import compiled
from orgs.dates import day
from orgs.models import Membership, Organization
from orgs.policy import Role


class Visitor(StrEnum):
    """Who looks at an invitation, and so what they can do next."""

    ANONYMOUS = "anonymous"
    INVITED = "invited"
    OTHER_ADDRESS = "other_address"
    UNVERIFIED = "unverified"


@dataclass(frozen=True)
class InvitationPage:
    """``generation``: of the claim that the page is drawn for, carried by its forms; ``superseded``: a later
    link has overtaken that. ``address``: whom it is for, "" where the link doesn't show that its holder knows
    it; ``bound``: it is for one address only. ``expires_at``: None for never. ``last_day``:
    in UTC, "" for good. ``joined_as``: the role that
    the visitor, who has accepted, has today, else ""; ``ended``: why nobody can accept, else "".
    ``may_ask``: for a new one, once this one is dead; a visitor who has only a link has to sign in first.
    ``has_inviter``: whether anybody is there who could send it.
    """

    invitation: Invitation
    generation: int
    superseded: bool
    organization: Organization
    role: Role
    role_does: Promise
    inviter: str
    address: str
    bound: bool
    expires_at: datetime | None
    last_day: str
    visitor: Visitor
    joined_as: str
    ended: str
    may_ask: bool
    has_inviter: bool


def invitation_page(*, user: User | AnonymousUser, claim: Claim) -> InvitationPage:
    """Raises Invitation.DoesNotExist."""
    invitation = Invitation.objects.select_related("organization").get(pk=claim.invitation_id)
    organization = invitation.organization
    reason = refusal_of(invitation, claim)
    return InvitationPage(
        invitation=invitation,
        generation=claim.generation,
        superseded=reason is Reason.SUPERSEDED,
        organization=organization,
        role=Role(invitation.role),
        role_does=WHAT_ROLE_DOES[Role(invitation.role)],
        inviter=invitation.invited_by_name,
        address=invitation.email if claim.channel is not Channel.LINK else "",
        bound=bool(invitation.email),
        expires_at=invitation.expires_at,
        last_day=day(invitation.last_day),
        visitor=_visitor(user, invitation),
        joined_as=_role_joined(user, invitation),
        ended=sentence_for_invitee(reason, organization.name) if reason else "",
        may_ask=bool(invitation.email) or user.is_authenticated,
        has_inviter=bool(inviters_of(invitation)),
    )


def _visitor(user: User | AnonymousUser, invitation: Invitation) -> Visitor:
    if not user.is_authenticated:
        return Visitor.ANONYMOUS
    if not invitation.email:
        return Visitor.INVITED
    verified = (
        EmailAddress.objects.filter(user_id=user.pk, email=invitation.email)
        .values_list("verified", flat=True)
        .first()
    )
    if verified is None:
        return Visitor.OTHER_ADDRESS
    return Visitor.INVITED if verified else Visitor.UNVERIFIED


def _role_joined(user: User | AnonymousUser, invitation: Invitation) -> str:
    if invitation.state != State.ACCEPTED or user.pk is None or invitation.accepted_by_id != user.pk:
        return ""
    joined = Membership.objects.for_org(invitation.organization).filter(user_id=user.pk)
    return joined.values_list("role", flat=True).first() or ""


@dataclass(frozen=True)
class WaitingInvitation:
    """What the list of organizations tells of an invitation, and what its buttons carry."""

    id: uuid.UUID
    generation: int
    organization: str
    inviter: str
    role: Promise
    role_does: Promise
    expires_at: datetime | None


def invitations_for(user: User) -> list[WaitingInvitation]:
    """The invitations that wait for the person, latest first."""
    return [
        WaitingInvitation(
            id=invitation.pk,
            generation=invitation.generation,
            organization=invitation.organization.name,
            inviter=invitation.invited_by_name,
            role=invitation.role_in_sentence,
            role_does=WHAT_ROLE_DOES[Role(invitation.role)],
            expires_at=invitation.expires_at,
        )
        for invitation in _waiting_for(user.pk)
    ]


@compiled(Invitation)
def _waiting_for(person: uuid.UUID) -> QuerySet[Invitation]:
    waiting = Invitation.objects.waiting_for(person)
    return waiting.select_related("organization").order_by("-sent_at", "-id")


@compiled(User)
def person_with_invitations(person: uuid.UUID) -> QuerySet[User]:
    """The person, with ``waiting_invitations``: how many wait for them. One statement, of every page."""
    waiting = Invitation.objects.waiting_for(person)
    number = Subquery(waiting.annotate(number=Func("pk", function="COUNT")).values("number"))
    return User.objects.filter(pk=person).annotate(
        waiting_invitations=Coalesce(number, 0, output_field=IntegerField())
    )
