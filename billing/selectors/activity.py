"""The billing activity: what of the audit log is about billing, for all who may see billing."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.models import ActorKind, AuditEvent
from audit.registry import billing_codes
from orgs.compiled import compiled
from orgs.models import Membership
from orgs.policy import Permission, may, somebody_of

LATEST = 5
PAGE_SIZE = 50
KINDS: dict[str, Promise] = {
    ActorKind.STAFF.value: gettext_lazy("Support staff"),
    ActorKind.STRIPE.value: gettext_lazy("Stripe"),
    ActorKind.SYSTEM.value: gettext_lazy("This portal"),
    ActorKind.HOST.value: gettext_lazy("The product"),
}


class Happening(NamedTuple):
    actor: str
    sentence: str
    at: datetime


@dataclass(frozen=True)
class ActivityPage:
    """``older``: the id below which the next page starts, None on the last one."""

    happenings: list[Happening]
    older: int | None


@compiled(AuditEvent)
def _latest(organization: uuid.UUID) -> QuerySet[AuditEvent]:
    return _events(organization)[:LATEST]


def _events(organization: uuid.UUID) -> QuerySet[AuditEvent]:
    """Newest first, each with ``actor_role``: the role that its actor has today."""
    actors = Membership.objects.for_org(organization).filter(user=OuterRef("actor_id"))
    events = AuditEvent.objects.for_org(organization).filter(action__in=billing_codes())
    return events.annotate(actor_role=Subquery(actors.values("role")))


def latest_activity(reader: Membership) -> list[Happening]:
    """The newest, by one statement."""
    return [_happening(event, reader) for event in _latest(reader.organization_id)]


def activity_page(reader: Membership, *, before: int | None = None) -> ActivityPage:
    events = _events(reader.organization_id)
    if before is not None:
        events = events.filter(id__lt=before)
    found = list(events[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    return ActivityPage(
        happenings=[_happening(event, reader) for event in shown],
        older=shown[-1].pk if len(found) > PAGE_SIZE else None,
    )


def _happening(event: AuditEvent, reader: Membership) -> Happening:
    return Happening(_actor(event, reader), event.sentence, event.created_at)


def _actor(event: AuditEvent, reader: Membership) -> str:
    """Who it was, by name only for those who may see the members' names."""
    if event.actor_kind != ActorKind.PERSON:
        return str(KINDS[event.actor_kind])
    if event.actor_id == reader.user_id:
        return _("You")
    if may(reader, Permission.MEMBERS_LIST):
        return event.actor
    return somebody_of(event.actor_role)  # type: ignore[attr-defined]
