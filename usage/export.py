"""Usage as CSV files, a row for each UTC day, or for each day and stack."""

import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from orgs.compiled import compiled
from orgs.replica import may_lag
from orgs.spreadsheets import BYTE_ORDER_MARK, csv_text
from usage.models import HourlyCount
from usage.partitions import first_kept_month
from usage.periods import DAY, beginning
from usage.spans import Span
from usage.sums import CountedDay, counted_days

# The names of columns are part of the format, as those of the audit log's file.
DAY_COLUMNS = ("day_utc", "resource_hours", "hours_counted", "average_resources")
STACK_COLUMNS = ("day_utc", "stack", "resource_hours", "hours_counted")
THOUSANDTH = Decimal("0.001")

Export = Callable[[uuid.UUID, Span], Iterator[str]]


class StackDay(NamedTuple):
    """Of one stack on one UTC day: the sum over its hours, and how many of them were counted."""

    name: str
    resource_hours: int
    hours_counted: int


@compiled(StackDay)
def _stacks_of(organization: uuid.UUID, since: datetime, until: datetime) -> QuerySet[HourlyCount, Any]:
    counts = HourlyCount.objects.filter(organization=organization, hour__gte=since, hour__lt=until)
    of_stacks = counts.values("stack__name").annotate(
        resource_hours=Sum("resources"), hours_counted=Count("hour")
    )
    return of_stacks.order_by("stack__name").values_list("stack__name", "resource_hours", "hours_counted")


def export_days(organization_id: uuid.UUID, span: Span) -> Iterator[str]:
    """The days that were counted, in order."""
    yield BYTE_ORDER_MARK + csv_text([DAY_COLUMNS])
    days = may_lag(partial(counted_days, organization_id, span.first, span.last)).figures
    yield csv_text(map(_day_cells, days))


def export_stacks(organization_id: uuid.UUID, span: Span) -> Iterator[str]:
    """The stacks that were counted, day by day, each piece by a statement of its own: no connection is held
    for as long as the reader takes.
    """
    yield BYTE_ORDER_MARK + csv_text([STACK_COLUMNS])
    # No older hours of stacks are kept.
    day = max(span.first, first_kept_month(timezone.now().date()))
    while day <= span.last:
        of_day = partial(_stacks_of, organization_id, beginning(day), beginning(day + DAY))
        if stacks := may_lag(of_day).figures:
            yield csv_text(_stack_cells(day, stacks))
        day += DAY


def _day_cells(row: CountedDay) -> list[str]:
    average = (Decimal(row.resource_hours) / row.hours_counted).quantize(THOUSANDTH)
    return [row.day.isoformat(), str(row.resource_hours), str(row.hours_counted), str(average)]


def _stack_cells(day: date, stacks: Iterable[StackDay]) -> Iterator[list[str]]:
    for stack in stacks:
        yield [day.isoformat(), stack.name, str(stack.resource_hours), str(stack.hours_counted)]
