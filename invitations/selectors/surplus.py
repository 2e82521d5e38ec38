"""Invitations that end when another edition comes, which has no room for them."""

from typing import NamedTuple

from invitations.models import Invitation
from orgs.capacity import taken_by
from orgs.editions import Edition
from orgs.models import Membership
from orgs.policy import Role


class SurplusInvitations(NamedTuple):
    """``addressees``: of those that the reader may see. ``total``: of all."""

    addressees: list[str]
    total: int


def surplus_invitations(reader: Membership, edition: Edition) -> SurplusInvitations:
    """Of billing managers, as if the edition came now."""
    if edition.billing_managers is None:
        return SurplusInvitations([], 0)
    organization = reader.organization
    places = max(0, edition.billing_managers - taken_by(organization, Role.BILLING_MANAGER))
    without_place = list(Invitation.objects.beyond(organization, places))
    seen = set(Invitation.objects.visible_to(reader).values_list("pk", flat=True))
    addressees = [invitation.addressee for invitation in without_place if invitation.pk in seen]
    return SurplusInvitations(addressees, len(without_place))
