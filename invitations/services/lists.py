"""Inviting several people at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.addresses import Entry
from invitations.models import Invitation
from invitations.services.sending import invite_by_mail
from orgs.errors import Refused
from orgs.models import Membership
from orgs.policy import Role


@dataclass(frozen=True)
class Outcome:
    """What became of one entry of a list: an invitation, or why there is none."""

    entry: Entry
    invitation: Invitation | None = None
    refused: Refused | None = None


def invite_each(*, actor: Membership, entries: Sequence[Entry], role: Role) -> list[Outcome]:
    """Invite each by itself, in a transaction of its own, so that a refused one keeps back no other.

    Raises Denied when the actor may not invite, perhaps since some of them were.
    """
    return [_outcome(actor, entry, role) for entry in entries]


def _outcome(actor: Membership, entry: Entry, role: Role) -> Outcome:
    try:
        return Outcome(entry, invite_by_mail(actor=actor, email=entry.address, role=role))
    except Refused as refused:
        return Outcome(entry, refused=refused)
