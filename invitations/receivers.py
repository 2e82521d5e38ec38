"""What becomes of pending invitations when something above them changes, in the same transaction."""

import uuid
from collections import defaultdict
from collections.abc import Iterable

from django.dispatch import receiver

from accounts.models import User
from audit.services import Actor
from invitations.mails import INVITATION_ENDED_MAIL, SURPLUS_INVITATIONS_MAIL
from invitations.models import Invitation, InvitationQuerySet, State
from invitations.refusals import Reason
from invitations.services.sending import withdraw
from orgs import events
from orgs.acting import Act
from orgs.capacity import limit_for, taken_by
from orgs.models import Membership, Organization
from orgs.policy import Role, may_invite


@receiver(events.membership_ended)
def end_invitations_of_who_left(organization_id: uuid.UUID, user_id: uuid.UUID, **_kwargs: object) -> None:
    """An invitation stands on its inviter's right to invite."""
    _revoke(_pending(organization_id).filter(invited_by=user_id))


@receiver(events.role_changed)
def end_invitations_without_right(organization_id: uuid.UUID, user_id: uuid.UUID, **_kwargs: object) -> None:
    """A person who may no longer give a role has no pending invitations to it either."""
    membership = Membership.objects.select_related("organization").get(
        organization_id=organization_id, user_id=user_id
    )
    _revoke(
        invitation
        for invitation in _pending(organization_id).filter(invited_by=user_id)
        if not may_invite(membership, Role(invitation.role))
    )


@receiver(events.delegation_ended)
def end_delegated_invitations(organization_id: uuid.UUID, **_kwargs: object) -> None:
    """Those that billing managers sent: the settings page has said which."""
    organization = Organization.objects.get(pk=organization_id)
    _revoke(Invitation.objects.delegated(organization).select_related("organization"))


@receiver(events.closing_begun)
def end_invitations_to_what_closes(organization_id: uuid.UUID, **_kwargs: object) -> None:
    """The page that asked has said how many there are."""
    _revoke(_pending(organization_id))


@receiver(events.edition_changed)
def end_invitations_without_place(organization_id: uuid.UUID, **_kwargs: object) -> None:
    """Those of billing managers that the new edition has no room for."""
    organization = Organization.objects.get(pk=organization_id)
    limit = limit_for(organization, Role.BILLING_MANAGER)
    if limit is None:
        return
    places = max(0, limit - taken_by(organization, Role.BILLING_MANAGER))
    without_place = list(Invitation.objects.select_related("invited_by").beyond(organization, places))
    portal = Act(organization, Actor.system())
    for invitation in reversed(without_place):
        _end_without_place(invitation, by=portal)
    _tell_inviters(portal, without_place, limit)


def _end_without_place(invitation: Invitation, *, by: Act) -> None:
    invitation.end(State.REVOKED, by=by, because=Reason.EDITION)
    if invitation.email:
        by.mail(
            INVITATION_ENDED_MAIL,
            to=invitation.email,
            dedupe_key=f"invitation_ended:{invitation.pk}",
            role=invitation.role,
            reason=Reason.EDITION.value,
        )


def _tell_inviters(portal: Act, ended: Iterable[Invitation], limit: int) -> None:
    """One mail to each, of theirs. Where the inviter's account is gone or shut, the admins get it."""
    by_inviter: dict[User | None, list[Invitation]] = defaultdict(list)
    for invitation in ended:
        inviter = invitation.invited_by
        by_inviter[inviter if inviter and inviter.is_active else None].append(invitation)
    for inviter, theirs in by_inviter.items():
        portal.mail_each(
            SURPLUS_INVITATIONS_MAIL,
            to={
                f"surplus_invitations:{theirs[0].pk}:{person.pk}": person.email
                for person in ([inviter] if inviter else _admins(portal.organization))
            },
            invitation_ids=" ".join(str(invitation.pk) for invitation in theirs),
            edition=portal.organization.edition_code,
            limit=limit,
        )


def _admins(organization: Organization) -> list[User]:
    admins = Membership.objects.for_org(organization).admins().select_related("user")
    return [membership.user for membership in admins]


def _pending(organization_id: uuid.UUID) -> InvitationQuerySet:
    return Invitation.objects.for_org(organization_id).pending().select_related("organization")


def _revoke(invitations: Iterable[Invitation]) -> None:
    for invitation in invitations:
        withdraw(invitation, by=Act(invitation.organization, Actor.system()))
