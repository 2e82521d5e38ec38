"""What becomes of pending invitations when something above them changes, in the same transaction."""

import uuid
from collections.abc import Iterable

from django.dispatch import receiver

from audit.services import Actor
from invitations.models import Invitation, InvitationQuerySet
from invitations.services.sending import withdraw
from orgs import events
from orgs.acting import Act
from orgs.models import Membership
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


def _pending(organization_id: uuid.UUID) -> InvitationQuerySet:
    return Invitation.objects.for_org(organization_id).pending().select_related("organization")


def _revoke(invitations: Iterable[Invitation]) -> None:
    for invitation in invitations:
        withdraw(invitation, by=Act(invitation.organization, Actor.system()))
