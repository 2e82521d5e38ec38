"""Settling: the ledger is made to say what the counted hours and the grants come to.

What an hour burns depends on the hours before it and on the grants known by then, and both may still change:
hours come late, are counted anew, and a period's grant comes after its first hours. So all that isn't closed
is worked out anew each time, and the difference to what the ledger says is added to it. That makes it all one
whether an hour is settled once or often, late or in time, and whether a worker died meanwhile.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Sum
from django.utils import timezone

from credits.burning import Charge, Line, Pool, burn
from credits.models import Entry, Grant, Ledger, Period
from credits.services.charging import charge_closed_spans
from credits.spans import open_since, open_span_from, period_at
from usage.partitions import first_kept_month
from usage.periods import beginning
from usage.settling import hold_recording

# Postgres takes 65,535 parameters in a statement.
BATCH = 2000
# What is counted by now of each hour that is open, or of which closed entries say something else.
HOURS = """
    SELECT hour, coalesce(counted.resources, 0), coalesce(closed.credits, 0)
    FROM (
        SELECT hour, resources FROM usage_organizationhour
        WHERE organization_id = %(organization)s AND hour >= %(oldest)s AND hour < %(until)s
    ) AS counted
    FULL JOIN (
        SELECT hour, sum(credits)::bigint AS credits FROM credits_entry
        WHERE organization_id = %(organization)s AND hour >= %(oldest)s AND booked_at < %(open_since)s
        GROUP BY hour
    ) AS closed USING (hour)
    WHERE hour >= %(open_since)s OR counted.resources IS DISTINCT FROM closed.credits
"""


def settle(*, organization_id: uuid.UUID, until: datetime) -> None:
    """Bring the ledger up to date with the hours before ``until``: those that are over, and whose period is
    known. What is on demand in a span that closes becomes its charge. Safe to run any number of times, and at
    once.
    """
    with transaction.atomic():
        # So that usage tells of the same hours that they are late.
        hold_recording(organization_id)
        ledger = Ledger.objects.locked(organization_id)
        periods = list(Period.objects.for_org(organization_id).order_by("starts_at"))
        if not periods:
            return
        since = open_span_from(periods, ledger.closed_until or periods[0].starts_at)
        if since is None:
            return
        seen_until = min(until, _this_hour())
        until = max(filter(None, (ledger.settled_until, min(seen_until, periods[-1].ends_at))))
        lines = _open_lines(organization_id, since)
        grants = _granted(organization_id, since)
        charges = _charges(organization_id, periods, since, until)
        _append(organization_id, grants, lines, burn(charges, _as_before(grants, lines)))
        closed_until = max(since, open_since(periods, max(seen_until, until)))
        charge_closed_spans(organization_id, periods, since=since, until=closed_until)
        Ledger.objects.filter(pk=ledger.pk).update(settled_until=until, closed_until=closed_until)


def _this_hour() -> datetime:
    return timezone.now().astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _open_lines(organization_id: uuid.UUID, since: datetime) -> dict[Line, int]:
    """What the ledger says of all that isn't closed."""
    entries = Entry.objects.for_org(organization_id).filter(booked_at__gte=since)
    sums = entries.values_list("booked_at", "hour", "grant_id").annotate(total=Sum("credits"))
    return {Line(*line): int(total) for *line, total in sums.order_by() if total}


def _charges(
    organization_id: uuid.UUID, periods: Sequence[Period], since: datetime, until: datetime
) -> list[Charge]:
    """What is to be booked from ``since`` on. Of hours closed before, the difference to what was booked, as
    far back as usage takes hours, or took them a day ago.

    A period takes back no more than it consumes: what is left over is taken back later.
    """
    oldest = first_kept_month(timezone.now().date() - timedelta(days=1))
    values: dict[str, Any] = {
        "organization": organization_id,
        "oldest": max(periods[0].starts_at, beginning(oldest)),
        "open_since": since,
        "until": until,
    }
    with connection.cursor() as cursor:
        cursor.execute(HOURS, values)
        hours = cursor.fetchall()
    charges = [
        Charge(max(hour, since), hour, resources - closed)
        for hour, counted, closed in hours
        if (resources := counted if _counts_credits(periods, hour) else 0) != closed
    ]
    more = [charge for charge in charges if charge.credits > 0]
    less = [charge for charge in charges if charge.credits < 0]
    return [*more, *_bounded(less, sum(charge.credits for charge in more))]


def _counts_credits(periods: Sequence[Period], hour: datetime) -> bool:
    period = period_at(periods, hour)
    return period is not None and period.credit_price is not None


def _bounded(charges: Iterable[Charge], most: int) -> Iterator[Charge]:
    """As much of these, which take back, as comes to no more than ``most``."""
    for charge in sorted(charges):
        taken = min(-charge.credits, most)
        most -= taken
        yield charge._replace(credits=-taken)


def _granted(organization_id: uuid.UUID, since: datetime) -> list[Grant]:
    """The grants of which something can be burnt from ``since`` on, each with what is left of it now."""
    grants = Grant.objects.for_org(organization_id).filter(expires_at__gt=since)
    return list(grants.with_left(organization_id).select_related("voiding"))


def _as_before(grants: Iterable[Grant], lines: dict[Line, int]) -> list[Pool]:
    """The grants as they were before these lines."""
    burnt: Counter[uuid.UUID | None] = Counter()
    for line, amount in lines.items():
        burnt[line.grant_id] += amount
    return [grant.pool(grant.left + burnt[grant.pk]) for grant in grants]


def _append(
    organization_id: uuid.UUID, grants: Iterable[Grant], lines: dict[Line, int], wanted: dict[Line, int]
) -> None:
    """Add what makes the one the other: first what is taken back, so that no grant is overdrawn meanwhile."""
    differences = {line: wanted.get(line, 0) - lines.get(line, 0) for line in {**lines, **wanted}}
    changes = [(amount, line) for line, amount in differences.items() if amount]
    if not changes:
        return
    changes.sort(key=lambda change: (change[0] > 0, change[1].booked_at, change[1].hour))
    left = {grant.pk: grant.left for grant in grants}
    last = Entry.objects.for_org(organization_id).aggregate(last=Max("number"))["last"] or 0
    entries = []
    for number, (amount, line) in enumerate(changes, start=last + 1):
        if line.grant_id is not None:
            left[line.grant_id] -= amount
        entries.append(
            Entry(
                organization_id=organization_id,
                number=number,
                grant_id=line.grant_id,
                hour=line.hour,
                booked_at=line.booked_at,
                credits=amount,
                left=left[line.grant_id] if line.grant_id else None,
            )
        )
    Entry.objects.bulk_create(entries, batch_size=BATCH)
