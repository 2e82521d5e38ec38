"""What was done for an organization: webhooks of Stripe, operations, mails. What failed comes first."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple

from django.db.models import Case, Q, QuerySet, Subquery, Value, When
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.dashboard import dashboard_url
from billing.failures import act_words, failure_words, outcome_in
from billing.models import BillingAccount, EventState, OperationState, StripeEvent, StripeOperation
from orgs.compiled import compiled
from orgs.dates import machine_text, moment
from outbox.models import OutgoingEmail
from outbox.models import State as MailState
from support.links import record_url

SHOWN = 5
LONGEST_ERROR = 160
# What a person was told, and what did not come about: after a while it's no news any more.
LATELY = timedelta(days=30)


class EventRow(NamedTuple):
    event_id: str
    type: str
    state: str
    attempts: int
    error: str
    received_at: datetime
    handled_at: datetime | None
    next_attempt_at: datetime
    failed: bool


class OperationRow(NamedTuple):
    id: uuid.UUID
    kind: str
    state: str
    result: Mapping[str, Any]
    actor_name: str
    attempts: int
    error: str
    created_at: datetime
    next_attempt_at: datetime
    failed: bool


class MailRow(NamedTuple):
    id: uuid.UUID
    kind: str
    to: str
    state: str
    attempts: int
    error: str
    created_at: datetime
    next_attempt_at: datetime
    failed: bool


class Kind(Enum):
    """What a row of work is. No text: the template chooses by it."""

    EVENT = "event"
    OPERATION = "operation"
    MAIL = "mail"


class WorkRow(NamedTuple):
    """A row of work in words, for ``{% rows %}``. ``note``: what went wrong, or how it went.

    ``failed``: nothing tries it any more. ``at_machine``: the instant, as machines read it. ``stripe_url``:
    "" where it has no page there.
    """

    kind: Kind
    id: str
    url: str
    title: str
    about: str
    tone: str
    state: str
    note: str
    at: str
    at_machine: str
    failed: bool
    stripe_url: str = ""


@compiled(EventRow)
def _events(organization: uuid.UUID) -> QuerySet[StripeEvent, Any]:
    """Those of its customer."""
    accounts = BillingAccount.objects.filter(organization=organization)
    of_customer = StripeEvent.objects.filter(customer_id=Subquery(accounts.values("stripe_customer_id")[:1]))
    failed = Q(state=EventState.FAILED)
    return failures_and_newest(of_customer, failed, EventRow._fields, "-received_at")


@compiled(OperationRow)
def _operations(organization: uuid.UUID, since: datetime) -> QuerySet[StripeOperation, Any]:
    operations = StripeOperation.objects.for_org(organization)
    failed = Q(state=OperationState.FAILED, created_at__gte=since)
    return failures_and_newest(operations, failed, OperationRow._fields, "-created_at")


@compiled(MailRow)
def _mails(organization: uuid.UUID) -> QuerySet[OutgoingEmail, Any]:
    return mails_among(OutgoingEmail.objects.filter(organization_id=organization))


def mails_among(mails: "QuerySet[OutgoingEmail]") -> "QuerySet[OutgoingEmail, Any]":
    """What a ``MailRow`` is made of."""
    return failures_and_newest(mails, Q(state=MailState.FAILED), MailRow._fields, "-created_at")


def failures_and_newest(
    rows: "QuerySet[Any, Any]", failed: Q, columns: Sequence[str], newest_first: str
) -> "QuerySet[Any, Any]":
    """Each part by an index of its own, so that it costs the same however many rows there are."""
    flagged = rows.annotate(failed=Case(When(failed, then=Value(True)), default=Value(False)))
    newest = flagged.order_by(newest_first)
    failures = newest.filter(failed).values_list(*columns)[:SHOWN]
    both: QuerySet[Any, Any] = failures.union(newest.values_list(*columns)[:SHOWN])
    return both.order_by("-failed", newest_first)[:SHOWN]


@dataclass(frozen=True)
class Work:
    """``at_stripe``: webhooks and operations together."""

    at_stripe: list[WorkRow]
    mails: list[WorkRow]

    @property
    def failed_at_stripe(self) -> int:
        return sum(row.failed for row in self.at_stripe)

    @property
    def failed_mails(self) -> int:
        return sum(row.failed for row in self.mails)


def work_of(organization_id: uuid.UUID) -> Work:
    """In three statements."""
    operations = _operations(organization_id, timezone.now() - LATELY)
    events = _events(organization_id)
    told = [*((row.created_at, _operation(row)) for row in operations)]
    told += [(row.received_at, _event(row)) for row in events]
    told.sort(key=lambda one: one[0], reverse=True)
    return Work(
        at_stripe=sorted((row for _at, row in told), key=lambda row: not row.failed),
        mails=mail_rows(_mails(organization_id)),
    )


def mail_rows(mails: Iterable[MailRow]) -> list[WorkRow]:
    return [_mail(row) for row in mails]


def _event(row: EventRow) -> WorkRow:
    retried = row.state == EventState.RECEIVED and bool(row.error)
    note = ""
    if row.failed or retried:
        note = _tries(row, will_try=retried)
    elif row.handled_at is not None:
        taken = round((row.handled_at - row.received_at).total_seconds(), 1)
        note = _("after %(seconds)s s") % {"seconds": taken}
    return WorkRow(
        kind=Kind.EVENT,
        id=row.event_id,
        url=record_url("billing_stripeevent", row.event_id),
        title=row.type,
        about=row.event_id,
        tone=_tone(is_bad=row.failed or retried, is_done=row.state == EventState.DONE),
        state=str(EventState(row.state).label),
        note=note,
        at=moment(row.received_at),
        at_machine=machine_text(row.received_at),
        failed=row.failed,
        stripe_url=dashboard_url(row.event_id),
    )


def _operation(row: OperationRow) -> WorkRow:
    retried = row.state in {OperationState.PENDING, OperationState.WAITING} and bool(row.error)
    note = _tries(row, will_try=True) if retried else ""
    if row.state == OperationState.FAILED:
        note = f"{capfirst(failure_words(outcome_in(row.result)))}."
    return WorkRow(
        kind=Kind.OPERATION,
        id=str(row.id),
        url=record_url("billing_stripeoperation", row.id),
        title=str(capfirst(act_words(row.kind))),
        about=_("asked for by %(name)s") % {"name": row.actor_name},
        tone=_tone(is_bad=row.failed or retried, is_done=row.state == OperationState.DONE),
        state=str(OperationState(row.state).label),
        note=note,
        at=moment(row.created_at),
        at_machine=machine_text(row.created_at),
        failed=row.failed,
    )


def _mail(row: MailRow) -> WorkRow:
    retried = row.state in {MailState.QUEUED, MailState.WRITING, MailState.SENDING} and bool(row.error)
    return WorkRow(
        kind=Kind.MAIL,
        id=str(row.id),
        url=record_url("outbox_outgoingemail", row.id),
        title=str(capfirst(row.kind.replace("_", " "))),
        about=row.to,
        tone=_tone(is_bad=row.failed or retried, is_done=row.state == MailState.SENT),
        state=_("Not delivered") if row.failed else str(MailState(row.state).label),
        note=_tries(row, will_try=retried) if row.failed or retried else "",
        at=moment(row.created_at),
        at_machine=machine_text(row.created_at),
        failed=row.failed,
    )


def _tone(*, is_bad: bool, is_done: bool) -> str:
    if is_bad:
        return "bad"
    return "good" if is_done else ""


def _tries(row: EventRow | OperationRow | MailRow, *, will_try: bool) -> str:
    """What went wrong, in one line, and whether it is tried again by itself."""
    error = " ".join(row.error.split())[:LONGEST_ERROR]
    tried = ngettext("Tried once", "Tried %(count)s times", row.attempts) % {"count": row.attempts}
    if not will_try:
        return _("%(error)s %(tried)s, given up.") % {"error": error, "tried": tried}
    at = moment(row.next_attempt_at)
    return _("%(error)s %(tried)s, next at %(at)s.") % {"error": error, "tried": tried, "at": at}
