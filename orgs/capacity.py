"""How many people an edition has room for: billing managers and, where seats are sold, members."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orgs.acting import OrganizationPrincipal
from orgs.errors import Refused
from orgs.models import Membership, Organization
from orgs.policy import REMOVE_PERMISSIONS, Principal, Role, may
from orgs.selectors import member_count

# How many pending invitations hold a place for a role: the invitations app, which lies above, counts them.
ReservationCounter = Callable[[Organization, Role], int]
_reservation_counters: list[ReservationCounter] = []


def count_reservations_with(counter: ReservationCounter) -> None:
    _reservation_counters.append(counter)


def limit_for(organization: Organization, role: Role) -> int | None:
    """How many people of that kind the organization may have; None: any number."""
    if role.is_billing_manager:
        return organization.edition.billing_managers
    return organization.seats if organization.edition.per_seat else None


def taken_by(organization: Organization, role: Role) -> int:
    """How many people of that kind there are: billing managers, or those who count as members."""
    if role.is_billing_manager:
        return Membership.objects.for_org(organization).billing_managers().count()
    return member_count(organization.pk)


def reserved_for(organization: Organization, role: Role) -> int:
    return sum(count(organization, role) for count in _reservation_counters)


class NoRoom(Refused):
    """No place is left for a person of that role, until one is freed or another edition bought."""

    def __init__(self, message: str, role: Role) -> None:
        super().__init__(message)
        self.role = role


@dataclass(frozen=True)
class OverLimit:
    """There are more people of one kind than the terms of their organization have room for.

    Nobody is dropped for it, and nobody is added until the number fits.
    ``role``: of billing managers, or of those who take a seat.
    """

    organization: Organization
    role: Role
    limit: int
    taken: int

    @property
    def surplus(self) -> int:
        return self.taken - self.limit

    def sentence_for(self, reader: Principal) -> str:
        """What is so, and what the reader can do about it."""
        if self.role.is_billing_manager:
            return f"{self._managers_told()} {self._way_for_managers(reader)}"
        return f"{self._seats_told()} {self._way_for_seats(reader)}"

    def _managers_told(self) -> str:
        return ngettext(
            "%(edition)s has room for %(limit)s billing manager, and there are %(taken)s.",
            "%(edition)s has room for %(limit)s billing managers, and there are %(taken)s.",
            self.limit,
        ) % {"edition": self.organization.edition.name, "limit": self.limit, "taken": self.taken}

    def _way_for_managers(self, reader: Principal) -> str:
        if may(reader, REMOVE_PERMISSIONS[Role.BILLING_MANAGER]):
            way = _("Remove %(surplus)s of them. Until then nobody else can become a billing manager.")
        else:
            way = _(
                "Ask an admin to remove %(surplus)s of them. "
                "Until then nobody else can become a billing manager."
            )
        return way % {"surplus": self.surplus}

    def _seats_told(self) -> str:
        bought = ngettext("%(limit)s seat is bought", "%(limit)s seats are bought", self.limit)
        taken = ngettext("%(taken)s is taken", "%(taken)s are taken", self.taken)
        return _("%(bought)s and %(taken)s.") % {
            "bought": bought % {"limit": self.limit},
            "taken": taken % {"taken": self.taken},
        }

    def _way_for_seats(self, reader: Principal) -> str:
        if may(reader, REMOVE_PERMISSIONS[Role.MEMBER]):
            way = ngettext(
                "Remove %(surplus)s person or add a seat.",
                "Remove %(surplus)s people or add seats.",
                self.surplus,
            )
        else:
            way = ngettext(
                "Add a seat, or ask an admin to remove %(surplus)s person.",
                "Add seats, or ask an admin to remove %(surplus)s people.",
                self.surplus,
            )
        return f"{way % {'surplus': self.surplus}} {_('Until then nobody else can take a seat.')}"


def over_limit(organization: Organization, role: Role, *, taken: int) -> OverLimit | None:
    """``taken``: how many people of that kind there are. None while they fit."""
    limit = limit_for(organization, role)
    return None if limit is None or taken <= limit else OverLimit(organization, role, limit, taken)


def over_limit_sentence(reader: Membership, role: Role, *, taken: int) -> str:
    """What the banner ``orgs/_over_limit.html`` tells the reader; "" while the people fit."""
    over = over_limit(reader.organization, role, taken=taken)
    return over.sentence_for(reader) if over else ""


def has_room(organization: Organization, role: Role) -> bool:
    """Whether somebody who holds an invitation can join. Call it with the organization locked.

    Of several who hold one beyond the limit the first to come gets the place.
    """
    limit = limit_for(organization, role)
    return limit is None or taken_by(organization, role) < limit


def ensure_room(actor: OrganizationPrincipal, role: Role, *, reserved: bool = False) -> None:
    """Raise NoRoom, in words for ``actor``, when no place is left. Call it with the organization locked.

    ``reserved``: a pending invitation holds the place already, so only people can stand in the way.
    """
    organization = actor.organization
    limit = limit_for(organization, role)
    if limit is None:
        return
    taken = taken_by(organization, role)
    over = over_limit(organization, role, taken=taken)
    if over is not None:
        raise NoRoom(over.sentence_for(actor), role)
    if taken + (0 if reserved else reserved_for(organization, role)) >= limit:
        raise NoRoom(full_sentence(organization, role, limit), role)


def full_sentence(organization: Organization, role: Role, limit: int) -> str:
    if role.is_billing_manager:
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
