"""What the pages of this app read, one dataclass per page."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import starmap
from typing import Any, NamedTuple

from django.db.models import Count, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.models import AuditEvent
from audit.registry import Action, all_actions
from orgs.compiled import compiled
from orgs.models import Membership, Organization
from orgs.policy import WITHOUT_PAGE, Permission, Role, may, table
from orgs.rows import LATER_THAN_ALL, Key, Page, count_of, fetch_page, newer_than, older_than

AUDIT_PAGE_SIZE = 50
# So many are read together wherever a person's organizations matter.
FEW_MEMBERSHIPS = 200

ROLE_SENTENCES: dict[Role, Promise] = {
    Role.ADMIN: _("Runs the organization: people, settings and billing."),
    Role.MEMBER: _("Uses the product, and sees its figures and people. Billing stays closed."),
    Role.BILLING_MANAGER: _("Pays: sees the figures, the card and the invoices, and nothing else."),
    Role.BILLING_VIEWER: _("Sees what a billing manager sees, and changes nothing. Counts as one."),
}


class MembershipRow(NamedTuple):
    """A membership, as the lists of its person have it."""

    organization: uuid.UUID
    role: str
    name: str
    slug: str
    edition_code: str
    joined_at: datetime
    id: uuid.UUID

    @property
    def key(self) -> Key:
        return self.joined_at, self.id


def membership_rows(memberships: QuerySet[Membership]) -> QuerySet[Membership, Any]:
    """What a ``MembershipRow`` is made of."""
    return memberships.values_list(
        "organization",
        "role",
        "organization__name",
        "organization__slug",
        "organization__edition_code",
        "joined_at",
        "id",
    )


@compiled(MembershipRow)
def memberships_of(person: uuid.UUID) -> QuerySet[Membership, Any]:
    """All of them: where there may be thousands, only when they are asked for."""
    return membership_rows(Membership.objects.current().filter(user=person))


@compiled(MembershipRow)
def _older_memberships(person: uuid.UUID, at: datetime, pk: uuid.UUID) -> QuerySet[Membership, Any]:
    current = Membership.objects.current().filter(user=person)
    return membership_rows(older_than((at, pk), current, time="joined_at"))[: FEW_MEMBERSHIPS + 1]


@compiled(MembershipRow)
def _newer_memberships(person: uuid.UUID, at: datetime, pk: uuid.UUID) -> QuerySet[Membership, Any]:
    current = Membership.objects.current().filter(user=person)
    return membership_rows(newer_than((at, pk), current, time="joined_at"))[: FEW_MEMBERSHIPS + 1]


def latest_memberships(person: uuid.UUID) -> list[MembershipRow]:
    """The person's latest memberships, and one more where there are more than ``FEW_MEMBERSHIPS``."""
    return _older_memberships(person, *LATER_THAN_ALL)


def memberships_beside(
    person: uuid.UUID, *, after: Key | None, before: Key | None, size: int
) -> Page[MembershipRow]:
    """A part of the person's memberships, latest first: see ``fetch_page``."""
    older, newer = partial(_older_memberships, person), partial(_newer_memberships, person)
    return fetch_page(older=older, newer=newer, after=after, before=before, size=size)


def memberships_named(
    person: uuid.UUID, words: list[str], *, after: Key | None, before: Key | None, size: int
) -> Page[MembershipRow]:
    """The same of those whose organizations' names hold all words."""
    found = Membership.objects.current().filter(user=person)
    for word in words:
        found = found.filter(organization__name__icontains=word)

    def beside(side: Callable[..., QuerySet[Membership]], *key: Any) -> list[MembershipRow]:
        rows = membership_rows(side(key, found, time="joined_at"))[: size + 1]
        return list(starmap(MembershipRow, rows))

    older, newer = partial(beside, older_than), partial(beside, newer_than)
    return fetch_page(older=older, newer=newer, after=after, before=before, size=size)


def member_count(organization_id: uuid.UUID) -> int:
    """How many count as members and take a seat."""
    (found,) = _counted_members(organization_id)
    return found.total


class MemberCount(NamedTuple):
    total: int


@compiled(MemberCount)
def _counted_members(organization: uuid.UUID) -> QuerySet[Organization, Any]:
    members = Membership.objects.for_org(organization).members()
    return Organization.objects.filter(pk=organization).annotate(total=count_of(members)).values_list("total")


@dataclass(frozen=True)
class RoleCard:
    """One role in a sentence. ``people``: how many have it; None: the reader may not know."""

    role: Role
    sentence: Promise
    people: int | None


@dataclass(frozen=True)
class RolesPage:
    cards: list[RoleCard]
    parts: list[tuple[Promise, list[tuple[Permission, dict[Role, str]]]]]


def roles_page(membership: Membership) -> RolesPage:
    counted = dict(
        Membership.objects.for_org(membership.organization).values_list("role").annotate(people=Count("id"))
    )
    managers_known = may(membership, Permission.BILLING_MANAGERS_LIST_NAMES)
    return RolesPage(
        cards=[
            RoleCard(
                role,
                ROLE_SENTENCES[role],
                counted.get(role.value, 0) if managers_known or not role.is_billing_manager else None,
            )
            for role in Role
        ],
        parts=list(table(without=WITHOUT_PAGE)),
    )


@dataclass(frozen=True)
class AuditPage:
    """``older``: the id below which the next page starts, None on the last one."""

    events: list[AuditEvent]
    actions: list[Action]
    action: str
    person: str
    older: int | None


def audit_page(
    organization_id: uuid.UUID, *, action: str = "", person: str = "", before: int | None = None
) -> AuditPage:
    """The organization's audit events, a page by key: see ``audit_events``."""
    events = audit_events(organization_id, action=action, person=person)
    if before is not None:
        events = events.filter(id__lt=before)
    found = list(events[: AUDIT_PAGE_SIZE + 1])
    shown = found[:AUDIT_PAGE_SIZE]
    return AuditPage(
        events=shown,
        actions=all_actions(),
        action=action,
        person=person,
        older=shown[-1].id if len(found) > AUDIT_PAGE_SIZE else None,
    )


def audit_events(
    organization_id: uuid.UUID, *, action: str = "", person: str = ""
) -> "QuerySet[AuditEvent, AuditEvent]":
    """The organization's audit events, newest first.

    ``person``: a part of the actor's or the target's name.
    """
    events = AuditEvent.objects.for_org(organization_id)
    if action:
        events = events.filter(action=action)
    if person:
        events = events.filter(Q(actor_name__icontains=person) | Q(target_name__icontains=person))
    return events
