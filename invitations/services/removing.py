"""Removing several people and pending invitations at once: all of them, or none."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

import orgs.services
from accounts.models import display_name
from invitations.actions import addressee
from invitations.models import Invitation
from invitations.services.sending import revoke
from orgs.acting import acting
from orgs.endings import what_ends
from orgs.errors import PageOutdated
from orgs.models import Membership
from orgs.policy import Permission


@dataclass(frozen=True)
class Removed:
    """``people``: their names. ``invited``: whom invitations were for. ``ended``: see ``orgs.endings``."""

    people: list[str]
    invited: list[str]
    ended: list[str]


def remove_each(
    *, actor: Membership, people: Mapping[uuid.UUID, str], invitations: Mapping[uuid.UUID, int]
) -> Removed:
    """End memberships and revoke invitations, in one transaction, as the page showed them.

    ``people``: by the membership's id the role, ``invitations``: by its id the generation that was shown.
    Raises Denied, Refused, and PageOutdated when one of them is no longer so or is gone.
    """
    # Everybody who may remove somebody may remove billing managers; each verb asks for what it needs.
    with acting(actor, Permission.BILLING_MANAGERS_REMOVE) as act:
        leaving = list(
            Membership.objects.for_org(act.organization).filter(pk__in=people).select_related("user")
        )
        waiting = list(Invitation.objects.visible_to(act.membership).pending().filter(pk__in=invitations))
        if len(leaving) != len(people) or len(waiting) != len(invitations):
            raise PageOutdated(_changed_meanwhile())
        ended = what_ends(leaving, act.membership)
        try:
            # First these, so that none is ended by the removal of its sender.
            for invitation_id, generation in invitations.items():
                revoke(actor=actor, invitation_id=invitation_id, shown=generation)
            for membership_id, role in people.items():
                orgs.services.remove_member(actor=actor, membership_id=membership_id, shown_role=role)
        except PageOutdated:
            raise PageOutdated(_changed_meanwhile()) from None
        return Removed(
            people=[display_name(person.user) for person in leaving],
            invited=[addressee(invitation.email) for invitation in waiting],
            ended=ended,
        )


def _changed_meanwhile() -> str:
    return _(
        "Somebody else changed one of these meanwhile. Nobody was removed. Check the list, then try again."
    )
