"""An organization on one page."""

import uuid
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import QuerySet

from audit.models import AuditEvent
from orgs.compiled import compiled
from orgs.dates import machine_text, moment
from orgs.models import Organization
from support.selectors.money import Money, money_of
from support.selectors.people import People, people_of
from support.selectors.work import Work, work_of

EVENTS_SHOWN = 6


@compiled(AuditEvent)
def _audit(organization: uuid.UUID) -> QuerySet[AuditEvent, Any]:
    return AuditEvent.objects.for_org(organization)[:EVENTS_SHOWN]


class Happening(NamedTuple):
    """An event of the audit log in words, for ``{% rows %}``. ``ticket``: of an act of support, else ""."""

    actor: str
    sentence: str
    ticket: str
    at: str
    at_machine: str


def _happening(event: AuditEvent) -> Happening:
    at = event.created_at
    return Happening(event.actor, event.sentence, event.ticket, moment(at), machine_text(at))


@dataclass(frozen=True)
class OrganizationPage:
    """Each list is short, what failed first. ``audit``: the newest."""

    organization: Organization
    people: People
    money: Money
    work: Work
    audit: list[Happening]


def organization_page(organization: Organization, *, invitation: uuid.UUID | None = None) -> OrganizationPage:
    """In nine statements, whatever its size. ``invitation``: one that is shown first."""
    return OrganizationPage(
        organization=organization,
        people=people_of(organization, invitation=invitation),
        money=money_of(organization.pk),
        work=work_of(organization.pk),
        audit=[_happening(event) for event in _audit(organization.pk)],
    )
