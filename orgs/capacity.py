"""How many people an edition has room for: billing managers and, where seats are sold, members."""

from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orgs.errors import Refused
from orgs.models import Membership, Organization
from orgs.policy import Role
from orgs.selectors import member_count

# How many pending invitations hold a place for a role: the invitations app, which lies above, counts them.
ReservationCounter = Callable[[Organization, Role], int]
_reservation_counters: list[ReservationCounter] = []


def count_reservations_with(counter: ReservationCounter) -> None:
    _reservation_counters.append(counter)


def limit_for(organization: Organization, role: Role) -> int | None:
    """How many people of that kind the organization may have; None: any number."""
    if role is Role.BILLING_MANAGER:
        return organization.edition.billing_managers
    return organization.seats if organization.edition.per_seat else None


def taken_by(organization: Organization, role: Role) -> int:
    """How many people of that kind there are: billing managers, or those who count as members."""
    if role is Role.BILLING_MANAGER:
        return Membership.objects.for_org(organization).billing_managers().count()
    return member_count(organization.pk)


def reserved_for(organization: Organization, role: Role) -> int:
    return sum(count(organization, role) for count in _reservation_counters)


def ensure_room(organization: Organization, role: Role, *, honoring_reservations: bool = True) -> None:
    """Raise Refused when no place is left. Call it with the organization locked.

    Somebody who accepts an invitation passes ``honoring_reservations=False``: their own place was reserved,
    and of several who hold one beyond the limit the first to come gets it.
    """
    limit = limit_for(organization, role)
    if limit is None:
        return
    taken = taken_by(organization, role) + (reserved_for(organization, role) if honoring_reservations else 0)
    if taken >= limit:
        raise Refused(full_sentence(organization, role, limit))


def full_sentence(organization: Organization, role: Role, limit: int) -> str:
    if role is Role.BILLING_MANAGER:
        return ngettext(
            "%(edition)s has room for %(limit)s billing manager, pending invitations included. "
            "Remove the billing manager or revoke the invitation first.",
            "%(edition)s has room for %(limit)s billing managers, pending invitations included. "
            "Remove a billing manager or revoke an invitation first.",
            limit,
        ) % {"edition": organization.edition.name, "limit": limit}
    return _(
        "All %(limit)s seats are taken, pending invitations included. "
        "Add seats, remove a member or revoke an invitation first."
    ) % {"limit": limit}
