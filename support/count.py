"""The count: jobs that people do alone which support staff did by hand, month by month, beside the source.

Read from what ``support.jobs`` counts once a day; how each job is counted stands there.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.models import ActorKind
from orgs.spreadsheets import BYTE_ORDER_MARK, csv_text
from support.models import CountedMonth, Job, JobCount
from usage.charts import BarChart, Point, Wording, bar_chart, plain_number
from usage.dashboard import WORDINGS
from usage.periods import Granularity, beginning

# Tickets that asked for a further billing manager, the one job that the source counts
# (docs/decisions.md, "tickets avoided").
SOURCE_A_DAY = Decimal("7.4")
SOURCE_A_MONTH = 221
SOURCE_JOB = Job.MANAGER_INVITED

MONTHS_SHOWN = 12
# The names of columns are part of the format, as those of the audit log's file.
COLUMNS = ("month_utc", "job", "done_by", "count", "counted_until_utc", "month_is_over")
TENTH = Decimal("0.1")
# What happened in less time says nothing of a day.
LEAST = timedelta(days=1)


class JobRow(NamedTuple):
    """How often one job was done in a month."""

    job: Job
    alone: int
    by_staff: int


@dataclass(frozen=True)
class MonthCount:
    """A month that was counted. ``alone``: what people did themselves, the tickets avoided.

    ``added``: of it, what the source counts. ``*_a_day``: on the average, None before a day has passed.
    """

    first: date
    counted_until: datetime
    rows: list[JobRow]

    @property
    def is_over(self) -> bool:
        return self.counted_until >= _next(self.first)

    @property
    def alone(self) -> int:
        return sum(row.alone for row in self.rows)

    @property
    def by_staff(self) -> int:
        return sum(row.by_staff for row in self.rows)

    @property
    def added(self) -> int:
        return sum(row.alone for row in self.rows if row.job == SOURCE_JOB)

    @property
    def alone_a_day(self) -> Decimal | None:
        return self._a_day(self.alone)

    @property
    def added_a_day(self) -> Decimal | None:
        return self._a_day(self.added)

    def _a_day(self, count: int) -> Decimal | None:
        counted = self.counted_until - beginning(self.first)
        if counted < LEAST:
            return None
        days = Decimal(counted // timedelta(seconds=1)) / (24 * 3600)
        return (count / days).quantize(TENTH, ROUND_HALF_UP)


@dataclass(frozen=True)
class CountPage:
    """``months``: the latest first, each one counted. ``chosen``: whose jobs are shown."""

    months: list[MonthCount]
    chosen: MonthCount
    chart: BarChart


def count_page(month: str) -> CountPage | None:
    """``month``: as in 2026-11; anything else shows the latest. None: nothing was counted yet.

    Two statements.
    """
    months = counted_months()[:MONTHS_SHOWN]
    if not months:
        return None
    chosen = next((one for one in months if f"{one.first:%Y-%m}" == month), months[0])
    return CountPage(months, chosen, _chart(months))


def counted_months() -> list[MonthCount]:
    """All of them, the latest first. Two statements."""
    counted: dict[tuple[date, str], dict[str, int]] = defaultdict(dict)
    for row in JobCount.objects.all():
        counted[row.month, row.job][row.done_by] = row.count
    return [
        MonthCount(one.month, one.counted_until, [_row(job, counted[one.month, job]) for job in Job])
        for one in CountedMonth.objects.order_by("-month")
    ]


def count_csv() -> str:
    """All counts as a file, one row for each month, job and doer, zeros too."""
    return BYTE_ORDER_MARK + csv_text([COLUMNS, *_cells(counted_months())])


def _cells(months: Iterable[MonthCount]) -> Iterator[list[str]]:
    for month in months:
        until = month.counted_until.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        for row in month.rows:
            for done_by, count in ((ActorKind.PERSON, row.alone), (ActorKind.STAFF, row.by_staff)):
                is_over = "yes" if month.is_over else "no"
                yield [f"{month.first:%Y-%m}", row.job.value, done_by.value, str(count), until, is_over]


def _row(job: Job, counted: dict[str, int]) -> JobRow:
    return JobRow(job, counted.get(ActorKind.PERSON, 0), counted.get(ActorKind.STAFF, 0))


def _next(first: date) -> datetime:
    return beginning((first + timedelta(days=31)).replace(day=1))


def _chart(months: list[MonthCount]) -> BarChart:
    """From the first month to the last, also those between that were not counted."""
    by_month = {one.first: one for one in months}
    firsts = list(_firsts(months[-1].first, months[0].first))
    shown = [(first, by_month.get(first)) for first in firsts]
    wording = WORDINGS[Granularity.MONTHLY]
    return bar_chart(
        [Point(beginning(first), Decimal(one.alone) if one else None) for first, one in shown],
        wording,
        label=_("Tickets avoided, %(first)s to %(last)s: from %(least)s to %(most)s a month"),
        titles=[_title(wording, first, one) for first, one in shown],
        over=[one.alone - one.added if one else 0 for _first, one in shown],
        mark=(SOURCE_A_MONTH, _("At the source")),
    )


def _firsts(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first = (first + timedelta(days=31)).replace(day=1)


def _title(wording: Wording, first: date, month: MonthCount | None) -> str:
    period = wording.name(beginning(first))
    if month is None:
        return _("%(period)s: not counted") % {"period": period}
    title = ngettext(
        "%(period)s: %(alone)s ticket avoided, %(added)s of the source's kind",
        "%(period)s: %(alone)s tickets avoided, %(added)s of the source's kind",
        month.alone,
    )
    if not month.is_over:
        title = _("%(title)s, so far") % {"title": title}
    counts = {"alone": plain_number(Decimal(month.alone)), "added": plain_number(Decimal(month.added))}
    return title % {"period": period, **counts}
