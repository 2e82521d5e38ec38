"""Seats of an edition that sells them."""

from dataclasses import dataclass

from invitations.selectors import BillingManagersPanel
from orgs.capacity import limit_for, over_limit_sentence
from orgs.models import Membership
from orgs.policy import Role


@dataclass(frozen=True)
class Seats:
    """``taken`` by people, ``reserved`` by pending invitations, ``bought``: all, None when never set.

    ``over_limit``: what the reader can do about people beyond the seats, or "" while they fit.
    """

    taken: int
    reserved: int
    bought: int | None
    over_limit: str


def seats_of(reader: Membership, counted: BillingManagersPanel) -> Seats:
    """``counted``: what the page knows of the organization's people already."""
    organization = reader.organization
    return Seats(
        taken=counted.seats_taken,
        reserved=counted.seats_reserved,
        bought=limit_for(organization, Role.MEMBER),
        over_limit=over_limit_sentence(reader, Role.MEMBER, taken=counted.seats_taken),
    )
