"""The audit log as a file: in codes for programs, and in the words that people read."""

import json
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import get_language, override

from audit.models import AuditEvent
from orgs.acting import acting
from orgs.actions import AUDIT_EXPORTED
from orgs.models import Membership
from orgs.policy import Permission
from orgs.selectors import audit_events
from orgs.spreadsheets import BYTE_ORDER_MARK, csv_text

# The names of columns are part of the format: programs look for them, so no language changes them.
COLUMNS = (
    "time_utc",
    "actor_kind",
    "actor_id",
    "actor",
    "action",
    "what_happened",
    "target_id",
    "target",
    "facts",
    "ticket",
    "reason",
)
EVENTS_AT_A_TIME = 1000


def export_audit_log(*, actor: Membership, action: str = "", person: str = "") -> Iterator[str]:
    """What the log held until now, newest first, as pieces of one CSV file; the log tells of the export.

    ``action``, ``person``: the filter of the log's page. Raises Denied.
    """
    with acting(actor, Permission.AUDIT_EXPORT) as act:
        told = act.record(AUDIT_EXPORTED, only=action, person=person)
    events = audit_events(actor.organization_id, action=action, person=person)
    return _pieces(events, before=told.pk, language=get_language())


def _pieces(events: "QuerySet[AuditEvent, Any]", *, before: int, language: str | None) -> Iterator[str]:
    """By key, since a cursor would hold a connection for as long as the reader takes.

    ``language``: the one that the request was made in, which has ended when the last pieces are written.
    """
    yield BYTE_ORDER_MARK + csv_text([COLUMNS])
    while found := list(events.filter(id__lt=before)[:EVENTS_AT_A_TIME]):
        with override(language):
            text = csv_text(map(_cells, found))
        yield text
        before = found[-1].pk


def _cells(event: AuditEvent) -> list[str]:
    at = event.created_at.astimezone(UTC).isoformat(timespec="milliseconds")
    return [
        at.replace("+00:00", "Z"),
        event.actor_kind,
        str(event.actor_id or ""),
        event.actor,
        event.action,
        event.sentence,
        event.target_id,
        event.target,
        json.dumps(event.data, ensure_ascii=False, sort_keys=True),
        event.ticket,
        event.reason,
    ]
