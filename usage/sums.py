"""Resource hours of an organization, summed by period, from the roll-ups alone."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, NamedTuple

from django.db.models import QuerySet

from orgs.compiled import compiled
from usage.models import OrganizationDay, OrganizationHour
from usage.periods import DAY, Granularity, beginning, first_full_hour, period_of


class CountedDay(NamedTuple):
    """One UTC day with counts: the sum over its hours, and how many of them there are."""

    day: date
    resource_hours: int
    hours_counted: int


class CountedHour(NamedTuple):
    hour: datetime
    resources: int


@compiled(CountedDay)
def counted_days(organization: uuid.UUID, first: date, last: date) -> QuerySet[OrganizationDay, Any]:
    days = OrganizationDay.objects.filter(organization=organization, day__gte=first, day__lte=last)
    return days.order_by("day").values_list(*CountedDay._fields)


@compiled(CountedHour)
def counted_hours(
    organization: uuid.UUID, since: datetime, until: datetime
) -> QuerySet[OrganizationHour, Any]:
    hours = OrganizationHour.objects.filter(organization=organization, hour__gte=since, hour__lt=until)
    return hours.order_by("hour").values_list(*CountedHour._fields)


@dataclass(frozen=True)
class Sum:
    """The hours of a period that were counted, added up. ``start``: when the period began."""

    start: datetime
    resource_hours: int
    hours_counted: int

    @property
    def average(self) -> Decimal:
        """Resources under management over the period: the average of its hourly counts."""
        return Decimal(self.resource_hours) / self.hours_counted


def sums_by(granularity: Granularity, organization_id: uuid.UUID, since: datetime, last: date) -> list[Sum]:
    """Of the hours that begin from ``since`` up to the end of the day ``last``, in order.

    A period without any counted hour has no sum. It takes two statements at most.
    """
    first_hour = first_full_hour(since)
    if granularity is Granularity.HOURLY:
        hours = counted_hours(organization_id, first_hour, beginning(last + DAY))
        return [Sum(hour.hour, hour.resources, 1) for hour in hours]
    return summed(granularity, _days(organization_id, first_hour, last))


def summed(granularity: Granularity, days: Iterable[CountedDay]) -> list[Sum]:
    """Days, in order, added up to periods of a day or longer."""
    periods = groupby(days, key=lambda row: period_of(row.day, granularity))
    return [_sum(first_day, list(rows)) for first_day, rows in periods]


def _sum(first_day: date, rows: list[CountedDay]) -> Sum:
    return Sum(
        beginning(first_day),
        sum(row.resource_hours for row in rows),
        sum(row.hours_counted for row in rows),
    )


def _days(organization_id: uuid.UUID, first_hour: datetime, last: date) -> list[CountedDay]:
    """The days' roll-ups, but for a first day that is not whole: that one from its hours."""
    first = first_hour.date()
    if first_hour == beginning(first):
        return counted_days(organization_id, first, last)
    hours = counted_hours(organization_id, first_hour, beginning(first + DAY))
    begun = [CountedDay(first, sum(hour.resources for hour in hours), len(hours))] if hours else []
    return begun + counted_days(organization_id, first + DAY, last)
