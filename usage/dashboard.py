"""The dashboard: resources now and over time, and the month as it goes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from orgs.dates import day
from orgs.models import Membership
from orgs.policy import Permission, may
from orgs.replica import may_lag
from orgs.selectors import member_count
from usage.charts import (
    BarChart,
    Point,
    Wording,
    number_with_decimal,
    plain_number,
    resources_chart,
    rounded,
)
from usage.months import MonthOfUsage, first_day_needed, month_of_usage
from usage.periods import DAY, HOUR, Granularity, beginning, period_of
from usage.selectors import (
    NOTHING_COUNTED,
    ResourcesNow,
    StackNow,
    counts_of,
    largest_stacks,
    resources_now,
)
from usage.spans import Span
from usage.sums import CountedDay, Sum, counted_days, summed, sums_by

WORDINGS = {
    Granularity.HOURLY: Wording(
        lambda at: _("%(day)s, %(hour)s UTC") % {"day": day(at), "hour": f"{at:%H}:00"},
        lambda at: f"{at:%H}:00" if at.hour else date_format(at, "j M"),
    ),
    Granularity.DAILY: Wording(day, lambda at: date_format(at, "j M")),
    Granularity.WEEKLY: Wording(
        lambda at: _("Week from %(day)s") % {"day": day(at)}, lambda at: date_format(at, "j M")
    ),
    Granularity.MONTHLY: Wording(
        lambda at: date_format(at, "F Y"),
        lambda at: date_format(at, "M Y"),
    ),
}


class PeriodShown(NamedTuple):
    """A row of the table beside the chart, its figures as people read them."""

    name: str
    average: str
    resource_hours: str


@dataclass(frozen=True)
class Comparison:
    """The average over a span, and over as many days right before it; None where nothing was counted."""

    average: Decimal | None
    before: Decimal | None

    @property
    def words(self) -> str:
        """How much more it is than before, or less."""
        if self.average is None:
            return _("nothing was counted")
        if not self.before:
            return _("nothing to compare with before")
        percent = rounded(100 * (self.average - self.before) / self.before)
        if not percent:
            return _("as many as in the same time before")
        words = _("%(percent)s%% more than in the same time before")
        if percent < 0:
            words = _("%(percent)s%% fewer than in the same time before")
        return words % {"percent": plain_number(abs(percent))}


@dataclass(frozen=True)
class Dashboard:
    """``periods``: the latest first; ``total``: their resource hours, as people read them.

    ``chart``, ``month``: None where nothing was counted ever.

    ``largest_stacks`` is None for those who may see the summary only. ``as_of``: of all that was counted,
    where it was read from the replica.
    """

    now: ResourcesNow | None
    span: Span
    comparison: Comparison
    periods: list[PeriodShown]
    total: str
    chart: BarChart | None
    month: MonthOfUsage | None
    stacks: int
    largest_stacks: list[StackNow] | None
    members: int
    as_of: datetime | None = None


def dashboard(membership: Membership, span: Span) -> Dashboard:
    """All that the dashboard shows to this person. ``span``: which days, and how they are told."""
    # Who has just removed or become a member sees it.
    members = member_count(membership.organization_id)
    found = may_lag(partial(_dashboard, membership, span, members))
    return replace(found.figures, as_of=found.as_of)


def _dashboard(membership: Membership, span: Span, members: int) -> Dashboard:
    organization = membership.organization
    at = timezone.now()
    # A replica may not know a new organization yet.
    (counts,) = counts_of(organization.pk) or [NOTHING_COUNTED]
    now = resources_now(counts.resources, counts.hour)
    first = min(span.before.first, first_day_needed(at.date()))
    days = counted_days(organization.pk, first, at.date()) if now else []
    points = list(_points(span, _sums(membership, span, days), at)) if now else []
    per_stack = may(membership, Permission.RUM_PER_STACK)
    return Dashboard(
        now=now,
        span=span,
        comparison=Comparison(_average(days, span), _average(days, span.before)),
        periods=[_shown(WORDINGS[span.granularity], point, one) for point, one in reversed(points)],
        total=plain_number(Decimal(sum(one.resource_hours for _point, one in points if one))),
        chart=resources_chart([point for point, _sum in points], WORDINGS[span.granularity])
        if points
        else None,
        month=month_of_usage(days, now=at, resources=now.resources, hour=now.hour) if now else None,
        stacks=counts.stack_count,
        largest_stacks=largest_stacks(organization, now) if per_stack else None,
        members=members,
    )


def _sums(membership: Membership, span: Span, days: Sequence[CountedDay]) -> list[Sum]:
    if span.granularity is Granularity.HOURLY:
        return sums_by(span.granularity, membership.organization_id, beginning(span.first), span.last)
    return summed(span.granularity, _within(days, span))


def _within(days: Sequence[CountedDay], span: Span) -> list[CountedDay]:
    return [row for row in days if span.first <= row.day <= span.last]


def _average(days: Sequence[CountedDay], span: Span) -> Decimal | None:
    """Resources under management over a span: the average of its hourly counts."""
    counted = _within(days, span)
    hours = sum(row.hours_counted for row in counted)
    return Decimal(sum(row.resource_hours for row in counted)) / hours if hours else None


def _points(span: Span, sums: Sequence[Sum], now: datetime) -> Iterator[tuple[Point, Sum | None]]:
    """Every period of a span up to now, also where nothing was counted."""
    found = {one.start: one for one in sums}
    for start in _starts(span, now):
        one = found.get(start)
        yield Point(start, one.average if one else None), one


def _starts(span: Span, now: datetime) -> Iterator[datetime]:
    if span.granularity is Granularity.HOURLY:
        for number in range(span.days * 24):
            if (hour := beginning(span.first) + HOUR * number) <= now.astimezone(UTC):
                yield hour
        return
    shown: date | None = None
    for number in range(span.days):
        first = period_of(span.first + DAY * number, span.granularity)
        if first != shown:
            shown = first
            yield beginning(first)


def _shown(wording: Wording, point: Point, one: Sum | None) -> PeriodShown:
    if one is None:
        return PeriodShown(wording.name(point.start), "–", "–")
    hours = plain_number(Decimal(one.resource_hours))
    return PeriodShown(wording.name(point.start), number_with_decimal(one.average), hours)
