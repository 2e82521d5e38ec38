"""Bringing people in from a list that is sent again and again: from a file, or by the product."""

from enum import StrEnum

from invitations.models import Invitation
from invitations.services.sending import BelongsAlready, address_to_invite, invite_by_mail
from orgs.acting import OrganizationPrincipal
from orgs.policy import Role


class Brought(StrEnum):
    """What became of a person."""

    INVITED = "invited"
    WAITING = "waiting"
    BELONGS = "belongs"


def bring_in(*, actor: OrganizationPrincipal, email: str, role: Role) -> Brought:
    """Invite a person, unless they are there or invited already in that role. Raises Refused and Denied."""
    address = address_to_invite(email)
    if Invitation.objects.live(actor.organization).filter(email=address, role=role).exists():
        return Brought.WAITING
    try:
        invite_by_mail(actor=actor, email=address, role=role)
    except BelongsAlready as belongs:
        if belongs.membership.role == role:
            return Brought.BELONGS
        raise
    return Brought.INVITED
