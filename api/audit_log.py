"""The audit log, as codes: its sentences are made when people read."""

import uuid
from datetime import datetime
from typing import Annotated, Any

from ninja import Query, Schema

from api.endpoints import Endpoints
from api.gate import ApiRequest, Needs
from api.paging import ROWS, Cursor, Limit, number_in, page_of
from audit.models import ActorKind, AuditEvent
from orgs.policy import Permission

endpoints = Endpoints("Audit log")


class EventOut(Schema):
    """``actor``, ``target``: names as they were. ``token``: by which a person acted, if any."""

    id: int
    at: datetime
    action: str
    actor_kind: ActorKind
    actor_id: uuid.UUID | None
    actor: str
    token_id: uuid.UUID | None
    token: str | None
    target_id: str
    target: str
    data: dict[str, Any]
    ticket: str | None
    reason: str | None


class EventsOut(Schema):
    """``next``: the cursor of the next page; null on the last one."""

    data: list[EventOut]
    next: str | None


@endpoints.get("/audit-events", Needs(Permission.AUDIT_READ), EventsOut)
def audit_events(
    request: ApiRequest,
    action: Annotated[str | None, Query(max_length=60, description="Only this action.")] = None,
    cursor: Cursor = None,
    limit: Limit = ROWS,
) -> EventsOut:
    """List what was done in the organization, latest first."""
    events = AuditEvent.objects.for_org(request.organization.pk)
    if action is not None:
        events = events.filter(action=action)
    before = number_in(cursor)
    if before is not None:
        events = events.filter(pk__lt=before)
    shown, following = page_of(list(events[: limit + 1]), limit, lambda event: str(event.pk))
    return EventsOut(data=[_told(event) for event in shown], next=following)


def _told(event: AuditEvent) -> EventOut:
    return EventOut(
        id=event.pk,
        at=event.created_at,
        action=event.action,
        actor_kind=ActorKind(event.actor_kind),
        actor_id=event.actor_id,
        actor=event.actor_name,
        token_id=event.token_id,
        token=event.token_name or None,
        target_id=event.target_id,
        target=event.target_name,
        data=event.data,
        ticket=event.ticket or None,
        reason=event.reason or None,
    )
