"""The members page."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from invitations.selectors.pending import PendingInvitation, pending_invitations, reserved_places
from invitations.services.sending import may_invite
from orgs.capacity import limit_for
from orgs.models import Membership, MembershipQuerySet
from orgs.policy import Permission, Role, can_manage, may

PEOPLE_PER_PAGE = 25


@dataclass(frozen=True)
class RoleChange:
    """A role that the reader may give somebody, and the button that does it."""

    role: str
    label: str


@dataclass(frozen=True)
class Person:
    """A row of the members page. ``changes``: what the reader may make of this person; empty: nothing."""

    id: uuid.UUID
    name: str
    email: str
    role: str
    joined_at: datetime
    changes: list[RoleChange]
    removable: bool
    is_self: bool
    menu_label: str


@dataclass(frozen=True)
class Seats:
    total: int
    taken: int
    reserved: int


@dataclass(frozen=True)
class MembersPage:
    """``newer``, ``older``: the keys beside which the next pages start, "" at the ends."""

    people: list[Person]
    newer: str
    older: str
    total: int
    seats: Seats | None
    pending: list[PendingInvitation]
    may_invite: bool


def members_page(membership: Membership, *, before: str = "", after: str = "") -> MembersPage:
    """Admins and members, latest first. ``after``, ``before``: keys of a page; what isn't one is ignored."""
    people = Membership.objects.for_org(membership.organization_id).members()
    total = people.count()
    listed = people.select_related("user").only("role", "joined_at", "user__name", "user__email")
    shown, newer, older = _page_of(listed, before=_key(before), after=_key(after))
    invites = may_invite(membership, Role.MEMBER)
    return MembersPage(
        people=_people(membership, shown),
        newer=newer,
        older=older,
        total=total,
        seats=_seats(membership, total),
        pending=pending_invitations(membership, Role.MEMBER) if invites else [],
        may_invite=invites,
    )


def _people(reader: Membership, shown: list[Membership]) -> list[Person]:
    """What the reader may do hangs on a person's role alone, so it is asked once for each role."""
    labels = {role: str(role.label) for role in Role}
    changes = {role: _changes(reader, role) for role in Role}
    removes = may(reader, Permission.MEMBERS_REMOVE)
    removable = {role for role in Role if removes and can_manage(reader, role)}
    return [
        Person(
            id=person.pk,
            name=person.user.name,
            email=person.user.email,
            role=labels[Role(person.role)],
            joined_at=person.joined_at,
            changes=changes[Role(person.role)],
            removable=person.role in removable and person.pk != reader.pk,
            is_self=person.pk == reader.pk,
            menu_label=_("Actions for %(name)s") % {"name": person.user.name},
        )
        for person in shown
    ]


def _changes(reader: Membership, current: Role) -> list[RoleChange]:
    """The roles that the reader may give to people of a role."""
    if not (may(reader, Permission.MEMBERS_CHANGE_ROLE) and can_manage(reader, current)):
        return []
    return [
        RoleChange(role.value, _("Make %(role)s") % {"role": str(role.label).lower()})
        for role in Role
        if role is not current and can_manage(reader, role)
    ]


def _seats(membership: Membership, taken: int) -> Seats | None:
    """Seats are a matter of those who invite; other editions have none."""
    organization = membership.organization
    total = limit_for(organization, Role.MEMBER)
    if total is None or not may_invite(membership, Role.MEMBER):
        return None
    return Seats(total=total, taken=taken, reserved=reserved_places(organization, Role.MEMBER))


Key = tuple[datetime, uuid.UUID]


def _page_of(
    people: MembershipQuerySet, *, before: Key | None, after: Key | None
) -> tuple[list[Membership], str, str]:
    """One page, newest first: what comes after a key, or just before one; with the keys of its neighbours."""
    if before is not None:
        joined_at, pk = before
        newer = people.filter(Q(joined_at__gt=joined_at) | Q(joined_at=joined_at, id__gt=pk))
        found = list(newer.order_by("joined_at", "id")[: PEOPLE_PER_PAGE + 1])
        shown = found[:PEOPLE_PER_PAGE][::-1]
        has_newer, has_older = len(found) > PEOPLE_PER_PAGE, True
    else:
        if after is not None:
            joined_at, pk = after
            people = people.filter(Q(joined_at__lt=joined_at) | Q(joined_at=joined_at, id__lt=pk))
        found = list(people.order_by("-joined_at", "-id")[: PEOPLE_PER_PAGE + 1])
        shown = found[:PEOPLE_PER_PAGE]
        has_newer, has_older = after is not None, len(found) > PEOPLE_PER_PAGE
    if not shown:
        return [], "", ""
    return shown, _key_of(shown[0]) if has_newer else "", _key_of(shown[-1]) if has_older else ""


def _key_of(person: Membership) -> str:
    return f"{person.joined_at.isoformat()}~{person.pk}"


def _key(text: str) -> Key | None:
    joined_at, _separator, pk = text.partition("~")
    try:
        at, person = datetime.fromisoformat(joined_at), uuid.UUID(pk)
        return (at.astimezone(UTC), person) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None
