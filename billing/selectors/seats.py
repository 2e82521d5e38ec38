"""Seats of an edition that sells them."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet

from invitations.models import Invitation, oldest_live
from orgs.capacity import limit_for, over_limit_sentence
from orgs.compiled import compiled
from orgs.models import Membership, Organization
from orgs.policy import Role
from orgs.rows import count_of


@dataclass(frozen=True)
class Seats:
    """``taken`` by people, ``reserved`` by pending invitations, ``bought``: all, None when never set.

    ``over_limit``: what the reader can do about people beyond the seats, or "" while they fit.
    """

    taken: int
    reserved: int
    bought: int | None
    over_limit: str


class SeatCounts(NamedTuple):
    taken: int
    reserved: int


@compiled(SeatCounts)
def _counts(organization: uuid.UUID, oldest: datetime) -> QuerySet[Organization, Any]:
    members = Membership.objects.for_org(organization).members()
    reserving = Invitation.objects.for_org(organization).pending_since(oldest).for_role(Role.MEMBER)
    counted = Organization.objects.filter(pk=organization).annotate(
        taken=count_of(members), reserved=count_of(reserving)
    )
    return counted.values_list(*SeatCounts._fields)


def seats_of(reader: Membership) -> Seats:
    organization = reader.organization
    (counts,) = _counts(organization.pk, oldest_live(organization))
    return Seats(
        taken=counts.taken,
        reserved=counts.reserved,
        bought=limit_for(organization, Role.MEMBER),
        over_limit=over_limit_sentence(reader, Role.MEMBER, taken=counts.taken),
    )
