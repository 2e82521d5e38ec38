"""Accepting and declining."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from allauth.account.models import EmailAddress
from django.db import IntegrityError
from django.db.models import Q, QuerySet
from django.utils import timezone
from psycopg.errors import ForeignKeyViolation

from accounts.models import User
from audit.models import ActorKind
from audit.services import Actor
from invitations import actions
from invitations.claims import Claim, refusal_of
from invitations.mails import INVITATION_ACCEPTED_MAIL, INVITATION_DECLINED_MAIL
from invitations.models import Invitation, State
from invitations.refusals import AcceptRefused, Reason
from orgs.acting import Act, acting_as
from orgs.capacity import has_room
from orgs.compiled import compiled
from orgs.errors import broken_constraint
from orgs.models import Membership
from orgs.policy import Role, may_invite


def accept(*, user: User, claim: Claim) -> Invitation:
    """Join in the invited role. Accepting twice changes nothing.

    Raises AcceptRefused, which then stands beside the invitation for those who sent it,
    Invitation.DoesNotExist, and User.DoesNotExist for an account that was deleted meanwhile.
    """
    try:
        return _accept(user, claim)
    except AcceptRefused as refused:
        _keep_refusal(user, claim, refused.reason)
        raise
    except IntegrityError as error:
        if isinstance(error.__cause__, ForeignKeyViolation):
            # Of all that is written here, only the person can be gone by the commit.
            raise User.DoesNotExist from None
        # The constraint behind the check: somebody became a member by a way that doesn't lock.
        if broken_constraint(error) != "membership_one_per_person":
            raise
        invitation = _keep_refusal(user, claim, Reason.ALREADY_IN)
        raise AcceptRefused(Reason.ALREADY_IN, invitation.organization.name) from None


def _accept(user: User, claim: Claim) -> Invitation:
    with answering(Actor.person(user), claim) as (act, invitation):
        organization = act.organization
        people = _people_concerned(invitation, user)
        if invitation.accepted_by_id == user.pk and user.pk in people.by_user:
            return invitation
        reason = refusal_of(invitation, claim) or _unfit_because(invitation, user, people)
        if reason is not None:
            raise AcceptRefused(reason, organization.name)
        role = Role(invitation.role)
        if not has_room(organization, role):
            raise AcceptRefused(Reason.NO_ROOM, organization.name)
        Membership.objects.create(
            organization=organization,
            user=user,
            role=role,
            last_day=invitation.last_day,
        )
        invitation.accepted_by = user
        invitation.end(State.ACCEPTED, by=act)
        act.mail_each(
            INVITATION_ACCEPTED_MAIL,
            to={
                f"invitation_accepted:{invitation.pk}:{recipient.pk}": recipient.email
                for recipient in people.to_be_told(invitation)
            },
            person=act.actor.name,
            # The invited address: of a person who came by a link, the inviter learns the name only.
            email=invitation.email,
            inviter=invitation.invited_by_name,
            role=role.value,
        )
        return invitation


def decline(*, claim: Claim, message: str = "", user: User | None = None) -> Invitation:
    """Turn the invitation down, as everybody who holds its link may. Declining twice changes nothing.

    ``message``: for the inviter, at most 500 characters. Raises AcceptRefused if it is no longer pending.
    """
    with answering(Actor.person(user) if user else None, claim) as (act, invitation):
        if invitation.state == State.DECLINED:
            return invitation
        reason = refusal_of(invitation, claim)
        if reason is not None:
            raise AcceptRefused(reason, act.organization.name)
        invitation.decline_message = message
        invitation.end(State.DECLINED, by=act)
        if invitation.invited_by is not None:
            act.mail(
                INVITATION_DECLINED_MAIL,
                to=invitation.invited_by.email,
                dedupe_key=f"invitation_declined:{invitation.pk}",
                person=act.actor.name,
                role=invitation.role,
                message=message,
            )
        return invitation


@dataclass(frozen=True)
class _People:
    """The memberships that an acceptance concerns: the organization's admins, the inviter, the invitee."""

    by_user: dict[uuid.UUID, Membership]

    def may_still_invite(self, invitation: Invitation) -> bool:
        if invitation.of_no_person:
            return True
        inviter = self.by_user.get(invitation.invited_by_id) if invitation.invited_by_id else None
        return inviter is not None and may_invite(inviter, Role(invitation.role))

    def to_be_told(self, invitation: Invitation) -> list[User]:
        """The inviter; of a new billing manager every admin too, since that role sees what is paid."""
        told = [
            membership.user
            for user_id, membership in self.by_user.items()
            if user_id == invitation.invited_by_id
            or (membership.role == Role.ADMIN and Role(invitation.role).is_billing_manager)
        ]
        return sorted(told, key=lambda user: user.email)


@compiled(Membership)
def _concerned(organization: uuid.UUID, invitee: uuid.UUID, inviter: uuid.UUID) -> QuerySet[Membership]:
    people = Membership.objects.for_org(organization).select_related("user")
    return people.filter(Q(role=Role.ADMIN) | Q(user=invitee) | Q(user=inviter))


def _people_concerned(invitation: Invitation, user: User) -> _People:
    inviter_id = invitation.invited_by_id or user.pk
    memberships = _concerned(invitation.organization_id, user.pk, inviter_id)
    for membership in memberships:
        membership.organization = invitation.organization
    return _People({membership.user_id: membership for membership in memberships})


class _Address(NamedTuple):
    verified: bool


@compiled(_Address)
def _address(person: uuid.UUID, email: str) -> QuerySet[EmailAddress, Any]:
    return EmailAddress.objects.filter(user=person, email=email).values_list("verified")


def _unfit_because(invitation: Invitation, user: User, people: _People) -> Reason | None:
    if not people.may_still_invite(invitation):
        return Reason.INVITER
    if invitation.email:
        match [found.verified for found in _address(user.pk, invitation.email)]:
            case []:
                return Reason.OTHER_ADDRESS
            case [False]:
                return Reason.UNVERIFIED
    return Reason.ALREADY_IN if user.pk in people.by_user else None


class _Claimed(NamedTuple):
    organization: uuid.UUID
    email: str


@compiled(_Claimed)
def _claimed(invitation: uuid.UUID) -> QuerySet[Invitation, Any]:
    return Invitation.objects.filter(pk=invitation).values_list("organization", "email")


@compiled(Invitation)
def _locked(invitation: uuid.UUID) -> QuerySet[Invitation]:
    return Invitation.objects.filter(pk=invitation).select_for_update()


@contextmanager
def answering(actor: Actor | None, claim: Claim) -> Iterator[tuple[Act, Invitation]]:
    """Act on the claimed invitation, with the organization locked, then the invitation: the order everywhere.

    ``actor``: None for a person without an account, whom the invited address names, if anything does.
    Raises Invitation.DoesNotExist.
    """
    found = next(iter(_claimed(claim.invitation_id)), None)
    if found is None:
        raise Invitation.DoesNotExist
    with acting_as(actor or Actor(ActorKind.PERSON, found.email), found.organization) as act:
        # It is there, as none is ever deleted but with its organization, which is locked.
        (invitation,) = _locked(claim.invitation_id)
        invitation.organization = act.organization
        yield act, invitation


def _keep_refusal(user: User, claim: Claim, reason: Reason) -> Invitation:
    """Put the reason beside the invitation, in a new transaction, since the acceptance's was undone.

    The same refusal twice in a row is recorded once, so that trying again fills no log.
    """
    with answering(Actor.person(user), claim) as (act, invitation):
        known = (invitation.last_error, invitation.last_error_by) == (reason, user.email)
        invitation.last_error, invitation.last_error_by = reason, user.email
        invitation.last_error_at = timezone.now()
        invitation.save(update_fields=["last_error", "last_error_by", "last_error_at"])
        if not known:
            invitation.record(actions.REFUSED, by=act, reason=reason.value)
        return invitation
