"""What the pages of this app read, one dataclass per page."""

import uuid
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import Count, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.models import AuditEvent
from audit.registry import Action, all_actions
from orgs.compiled import compiled
from orgs.models import Membership, Organization
from orgs.policy import WITHOUT_PAGE, Permission, Role, may, table
from orgs.rows import count_of

AUDIT_PAGE_SIZE = 50

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


@compiled(MembershipRow)
def memberships_of(person: uuid.UUID) -> QuerySet[Membership, Any]:
    of_person = Membership.objects.current().filter(user=person).order_by("organization__name", "id")
    return of_person.values_list(
        "organization", "role", "organization__name", "organization__slug", "organization__edition_code"
    )


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
