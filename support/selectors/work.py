"""What was done for an organization: webhooks of Stripe, operations, mails. What failed comes first."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple

from django.db.models import (
    Case,
    DateTimeField,
    F,
    JSONField,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast
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


class Kind(Enum):
    """What was tried. No text: the template chooses by it."""

    EVENT = "event"
    OPERATION = "operation"
    MAIL = "mail"


class Tried(NamedTuple):
    """A webhook, an operation or a mail, as it is stored. ``sort``: of a Kind; ``what``: its type or kind.

    ``person``: who asked for the operation, or to whom the mail goes. ``outcome``: of the operation.
    ``done_at``: when the webhook was applied. ``failed``: nothing tries it any more.
    """

    sort: str
    key: str
    what: str
    person: str
    outcome: Mapping[str, Any] | None
    state: str
    attempts: int
    error: str
    at: datetime
    done_at: datetime | None
    next_attempt_at: datetime
    failed: bool


class WorkRow(NamedTuple):
    """The same in words, for ``{% rows %}``. ``note``: what went wrong, or how it went. ``at_machine``: the
    instant, as machines read it. ``stripe_url``: "" where it has no page there.
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


NOTHING = Cast(Value(None), JSONField())
NEVER = Cast(Value(None), DateTimeField())


@compiled(Tried)
def _work(organization: uuid.UUID, since: datetime) -> "QuerySet[Any, Any]":
    """Of each kind what failed, then the newest."""
    accounts = BillingAccount.objects.filter(organization=organization)
    events = StripeEvent.objects.filter(customer_id=Subquery(accounts.values("stripe_customer_id")[:1]))
    events = events.annotate(
        sort=_text(Kind.EVENT.value), key=F("event_id"), what=F("type"), person=_text(""), outcome=NOTHING
    ).annotate(at=F("received_at"), done_at=F("handled_at"))
    operations = StripeOperation.objects.for_org(organization).annotate(
        sort=_text(Kind.OPERATION.value),
        key=Cast("id", TextField()),
        what=F("kind"),
        person=F("actor_name"),
        outcome=F("result"),
        at=F("created_at"),
        done_at=NEVER,
    )
    failed_lately = Q(state=OperationState.FAILED, created_at__gte=since)
    return failures_and_newest(events, Q(state=EventState.FAILED)).union(
        failures_and_newest(operations, failed_lately),
        mails_among(OutgoingEmail.objects.filter(organization_id=organization)),
        all=True,
    )


def mails_among(mails: "QuerySet[OutgoingEmail]") -> "QuerySet[OutgoingEmail, Any]":
    """What failed, then the newest, each as ``Tried`` has it."""
    told = mails.annotate(
        sort=_text(Kind.MAIL.value),
        key=Cast("id", TextField()),
        what=F("kind"),
        person=F("to"),
        outcome=NOTHING,
        at=F("created_at"),
        done_at=NEVER,
    )
    return failures_and_newest(told, Q(state=MailState.FAILED))


def failures_and_newest(rows: "QuerySet[Any, Any]", failed: Q) -> "QuerySet[Any, Any]":
    """Each part by an index of its own, so that it costs the same however many rows there are."""
    flagged = rows.annotate(failed=Case(When(failed, then=Value(True)), default=Value(False)))
    newest = flagged.order_by("-at")
    failures = newest.filter(failed).values_list(*Tried._fields)[:SHOWN]
    both: QuerySet[Any, Any] = failures.union(newest.values_list(*Tried._fields)[:SHOWN])
    return both.order_by("-failed", "-at")[:SHOWN]


def _text(value: str) -> Value:
    return Value(value, output_field=TextField())


@dataclass(frozen=True)
class Work:
    """``at_stripe``: webhooks and operations together."""

    at_stripe: list[WorkRow]
    mails: list[WorkRow]

    @property
    def failed_at_stripe(self) -> str:
        """How many, in words; "" for none."""
        if not (failed := sum(row.failed for row in self.at_stripe)):
            return ""
        text = ngettext("%(count)s webhook or operation", "%(count)s webhooks and operations", failed)
        return text % {"count": failed}

    @property
    def failed_mails(self) -> str:
        """Likewise."""
        if not (failed := sum(row.failed for row in self.mails)):
            return ""
        return ngettext("%(count)s mail", "%(count)s mails", failed) % {"count": failed}


def work_of(organization_id: uuid.UUID) -> Work:
    """In one statement."""
    tried = _work(organization_id, timezone.now() - LATELY)
    return Work(
        at_stripe=in_words(one for one in tried if one.sort != Kind.MAIL.value),
        mails=in_words(one for one in tried if one.sort == Kind.MAIL.value),
    )


def in_words(tried: Iterable[Tried]) -> list[WorkRow]:
    """What failed, then the newest."""
    in_order = sorted(tried, key=lambda one: (one.failed, one.at), reverse=True)
    return [_IN_WORDS[Kind(one.sort)](one) for one in in_order]


def _event(row: Tried) -> WorkRow:
    retried = row.state == EventState.RECEIVED and bool(row.error)
    note = ""
    if row.failed or retried:
        note = _tries(row, will_try=retried)
    elif row.done_at is not None:
        taken = round((row.done_at - row.at).total_seconds(), 1)
        note = _("after %(seconds)s s") % {"seconds": taken}
    return WorkRow(
        kind=Kind.EVENT,
        id=row.key,
        url=record_url("billing_stripeevent", row.key),
        title=row.what,
        about=row.key,
        tone=_tone(is_bad=row.failed or retried, is_done=row.state == EventState.DONE),
        state=str(EventState(row.state).label),
        note=note,
        at=moment(row.at),
        at_machine=machine_text(row.at),
        failed=row.failed,
        stripe_url=dashboard_url(row.key),
    )


def _operation(row: Tried) -> WorkRow:
    retried = row.state in {OperationState.PENDING, OperationState.WAITING} and bool(row.error)
    note = _tries(row, will_try=True) if retried else ""
    if row.state == OperationState.FAILED:
        note = f"{capfirst(failure_words(outcome_in(row.outcome or {})))}."
    return WorkRow(
        kind=Kind.OPERATION,
        id=row.key,
        url=record_url("billing_stripeoperation", row.key),
        title=str(capfirst(act_words(row.what))),
        about=_("asked for by %(name)s") % {"name": row.person},
        tone=_tone(is_bad=row.failed or retried, is_done=row.state == OperationState.DONE),
        state=str(OperationState(row.state).label),
        note=note,
        at=moment(row.at),
        at_machine=machine_text(row.at),
        failed=row.failed,
    )


def _mail(row: Tried) -> WorkRow:
    retried = row.state in {MailState.QUEUED, MailState.WRITING, MailState.SENDING} and bool(row.error)
    return WorkRow(
        kind=Kind.MAIL,
        id=row.key,
        url=record_url("outbox_outgoingemail", row.key),
        title=str(capfirst(row.what.replace("_", " "))),
        about=row.person,
        tone=_tone(is_bad=row.failed or retried, is_done=row.state == MailState.SENT),
        state=_("Not delivered") if row.failed else str(MailState(row.state).label),
        note=_tries(row, will_try=retried) if row.failed or retried else "",
        at=moment(row.at),
        at_machine=machine_text(row.at),
        failed=row.failed,
    )


_IN_WORDS = {Kind.EVENT: _event, Kind.OPERATION: _operation, Kind.MAIL: _mail}


def _tone(*, is_bad: bool, is_done: bool) -> str:
    if is_bad:
        return "bad"
    return "good" if is_done else ""


def in_one_line(error: str) -> str:
    """What went wrong, in as many letters as a row has room for."""
    line = " ".join(error.split())
    return line if len(line) <= LONGEST_ERROR else f"{line[: LONGEST_ERROR - 1]}…"


def _tries(row: Tried, *, will_try: bool) -> str:
    """What went wrong, in one line, and whether it is tried again by itself."""
    error = in_one_line(row.error)
    tried = ngettext("Tried once", "Tried %(count)s times", row.attempts) % {"count": row.attempts}
    if not will_try:
        return _("%(error)s %(tried)s, given up.") % {"error": error, "tried": tried}
    at = moment(row.next_attempt_at)
    return _("%(error)s %(tried)s, next at %(at)s.") % {"error": error, "tried": tried, "at": at}
