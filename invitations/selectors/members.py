"""The members page."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from django.db.models import QuerySet

from invitations.selectors.access_requests import OpenRequest, open_requests
from invitations.selectors.continuity import ContinuityWarning, people_warnings
from invitations.selectors.pending import (
    NONE_PENDING,
    PendingInvitations,
    pending_invitations,
    reserved_places,
)
from invitations.selectors.role_changes import RoleChange, role_changes
from orgs.capacity import full_sentence, limit_for, over_limit_sentence
from orgs.compiled import compiled
from orgs.dates import day_here, machine_text, moment
from orgs.models import Membership, MembershipQuerySet
from orgs.policy import REMOVE_PERMISSIONS, Role, may, may_invite
from orgs.rows import Key, fetch_page, key_in_text, key_text, newer_than, older_than
from orgs.selectors import member_count

PEOPLE_PER_PAGE = 25


class PersonRow(NamedTuple):
    id: uuid.UUID
    role: str
    joined_at: datetime
    name: str
    email: str


@compiled(PersonRow)
def _older_people(organization: uuid.UUID, at: datetime, pk: uuid.UUID) -> QuerySet[Membership, Any]:
    return _person_rows(older_than((at, pk), _people_of(organization), time="joined_at"))


@compiled(PersonRow)
def _newer_people(organization: uuid.UUID, at: datetime, pk: uuid.UUID) -> QuerySet[Membership, Any]:
    return _person_rows(newer_than((at, pk), _people_of(organization), time="joined_at"))


def _people_of(organization: uuid.UUID) -> MembershipQuerySet:
    return Membership.objects.for_org(organization).members()


def _person_rows(people: MembershipQuerySet) -> QuerySet[Membership, Any]:
    rows = people.values_list("id", "role", "joined_at", "user__name", "user__email")
    return rows[: PEOPLE_PER_PAGE + 1]


@dataclass(frozen=True)
class Menu:
    """What the reader may do with people of one kind. ``changes``: what they may make of them."""

    changes: tuple[RoleChange, ...]
    removable: bool
    is_self: bool


class Person(NamedTuple):
    """A row of the members page, in words. ``menu``: None where the reader may do nothing.

    ``joined``: the day, as the reader's clock has it; ``joined_at``: the instant, as machines read it, and
    ``joined_exactly``, as people do.
    """

    id: str
    name: str
    initial: str
    email: str
    role: str
    joined: str
    joined_at: str
    joined_exactly: str
    is_self: bool
    menu: Menu | None


@dataclass(frozen=True)
class MemberSeats:
    """``over_limit``: what to do about people beyond the seats, or "" while they fit.

    ``full``: why nobody can be invited though they fit, or "" while a seat is free.
    """

    total: int
    taken: int
    reserved: int
    over_limit: str
    full: str


@dataclass(frozen=True)
class MembersPage:
    """``newer``, ``older``: the keys beside which the next pages start, "" at the ends."""

    people: list[Person]
    newer: str
    older: str
    total: int
    seats: MemberSeats | None
    pending: PendingInvitations
    requests: list[OpenRequest]
    warnings: list[ContinuityWarning]
    may_invite: bool


def members_page(membership: Membership, *, before: str = "", after: str = "") -> MembersPage:
    """Admins and members, latest first. ``after``, ``before``: keys of a page; what isn't one is ignored."""
    total = member_count(membership.organization_id)
    page = fetch_page(
        older=partial(_older_people, membership.organization_id),
        newer=partial(_newer_people, membership.organization_id),
        after=key_in_text(after),
        before=key_in_text(before),
        size=PEOPLE_PER_PAGE,
    )
    invites = may_invite(membership, Role.MEMBER)
    seats = _seats(membership, total)
    joinable = seats is None or total < seats.total
    return MembersPage(
        people=_people(membership, page.rows),
        newer=key_text(_key(page.rows[0])) if page.has_newer else "",
        older=key_text(_key(page.rows[-1])) if page.has_older else "",
        total=total,
        seats=seats,
        pending=pending_invitations(membership, Role.MEMBER, joinable=joinable) if invites else NONE_PENDING,
        requests=open_requests(membership),
        warnings=people_warnings(membership),
        may_invite=invites,
    )


def _people(reader: Membership, shown: list[PersonRow]) -> list[Person]:
    """What the reader may do depends on a person's role alone, so it is asked once for each role."""
    labels = {role: str(role.label) for role in Role}
    menus = {role: _menu(reader, role) for role in Role}
    own_menu = Menu(role_changes(reader, Role(reader.role)), removable=False, is_self=True)
    return [
        Person(
            id=str(row.id),
            name=row.name,
            initial=row.name[:1],
            email=row.email,
            role=labels[role],
            joined=day_here(row.joined_at),
            joined_at=machine_text(row.joined_at),
            joined_exactly=moment(row.joined_at, to_the_second=True),
            is_self=is_self,
            menu=own_menu if is_self else menus[role],
        )
        for row in shown
        for role, is_self in [(Role(row.role), row.id == reader.pk)]
    ]


def _menu(reader: Membership, role: Role) -> Menu | None:
    """What the reader may do with others of a role."""
    changes = role_changes(reader, role)
    removable = may(reader, REMOVE_PERMISSIONS[role])
    return Menu(changes, removable, is_self=False) if changes or removable else None


def _seats(membership: Membership, taken: int) -> MemberSeats | None:
    """Seats are a matter of those who invite; other editions have none."""
    organization = membership.organization
    total = limit_for(organization, Role.MEMBER)
    if total is None or not may_invite(membership, Role.MEMBER):
        return None
    reserved = reserved_places(organization, Role.MEMBER)
    over = over_limit_sentence(membership, Role.MEMBER, taken=taken)
    full = not over and taken + reserved >= total
    return MemberSeats(
        total=total,
        taken=taken,
        reserved=reserved,
        over_limit=over,
        full=full_sentence(organization, Role.MEMBER, total) if full else "",
    )


def _key(person: PersonRow) -> Key:
    return person.joined_at, person.id
