"""Inviting several people at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

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


def invite_each(
    *, actor: Membership, entries: Sequence[Entry], role: Role, last_day: date | None = None
) -> list[Outcome]:
    """Invite each by itself, in a transaction of its own, so that a refused one keeps back no other.

    Raises Denied when the actor may not invite, perhaps since some of them were.
    """
    return [_outcome(actor, entry, role, last_day) for entry in entries]


def _outcome(actor: Membership, entry: Entry, role: Role, last_day: date | None) -> Outcome:
    try:
        invitation = invite_by_mail(actor=actor, email=entry.address, role=role, last_day=last_day)
        return Outcome(entry, invitation)
    except Refused as refused:
        return Outcome(entry, refused=refused)
