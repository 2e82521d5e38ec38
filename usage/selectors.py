"""What pages read about usage."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from orgs.compiled import compiled
from orgs.models import Membership, Organization
from orgs.policy import Permission, may
from orgs.rows import count_of
from usage.charts import BarChart, chart_of_days, number_with_decimal, plain_number
from usage.models import HourlyCount, OrganizationDay, OrganizationHour, Stack
from usage.sums import CountedDay, counted_days

DAYS_SHOWN = 30
STACKS_SHOWN = 10


class ResourcesNow(NamedTuple):
    """Resources under management in the last hour that was counted, and that hour."""

    resources: int
    hour: datetime


class UsageOfDays(NamedTuple):
    total: int
    resources: int | None
    hour: datetime | None


@compiled(UsageOfDays)
def _usage_of_days(organization: uuid.UUID, start: date, end: date) -> QuerySet[Organization, Any]:
    days = OrganizationDay.objects.filter(organization=organization, day__gte=start, day__lt=end)
    total = days.values("organization").annotate(total=Sum("resource_hours")).values("total")
    counted = _with_latest_hour(organization).annotate(total=Coalesce(Subquery(total), 0))
    return counted.values_list(*UsageOfDays._fields)


class Counts(NamedTuple):
    resources: int | None
    hour: datetime | None
    stack_count: int
    member_count: int


@compiled(Counts)
def _counts(organization: uuid.UUID) -> QuerySet[Organization, Any]:
    stacks = Stack.objects.filter(organization=organization)
    members = Membership.objects.for_org(organization).members()
    counted = _with_latest_hour(organization).annotate(
        stack_count=count_of(stacks), member_count=count_of(members)
    )
    return counted.values_list(*Counts._fields)


def _with_latest_hour(organization: uuid.UUID) -> QuerySet[Organization, Any]:
    """The organization with the ``resources`` in the last ``hour`` that was counted."""
    latest = OrganizationHour.objects.filter(organization=organization).order_by("-hour")[:1]
    return Organization.objects.filter(pk=organization).annotate(
        resources=Subquery(latest.values("resources")), hour=Subquery(latest.values("hour"))
    )


@dataclass(frozen=True)
class DayOfUsage:
    """One UTC day. ``average``: resources under management over the hours that were counted."""

    day: date
    average: Decimal
    resource_hours: int
    hours_counted: int


class DayShown(NamedTuple):
    """A day of the table beside the chart, its figures as people read them."""

    day: date
    average: str
    resource_hours: str


@dataclass(frozen=True)
class StackNow:
    """One stack in the last hour that was counted."""

    name: str
    resources: int


@compiled(StackNow)
def _largest_stacks(organization: uuid.UUID, hour: datetime) -> QuerySet[HourlyCount, Any]:
    counts = HourlyCount.objects.filter(organization=organization, hour=hour)
    rows = counts.order_by("-resources", "stack__name").values_list("stack__name", "resources")
    return rows[:STACKS_SHOWN]


@dataclass(frozen=True)
class Dashboard:
    """The dashboard's figures. ``days``: the latest first.

    ``largest_stacks`` is None for those who may see the summary only.
    """

    now: ResourcesNow | None
    average: Decimal
    days: list[DayShown]
    chart: BarChart
    stacks: int
    largest_stacks: list[StackNow] | None
    members: int


def dashboard(membership: Membership) -> Dashboard:
    """All that the dashboard shows to this person."""
    organization = membership.organization
    (counts,) = _counts(organization.pk)
    now = _resources_now(counts.resources, counts.hour)
    days = daily_resources(organization, days=DAYS_SHOWN)
    return Dashboard(
        now=now,
        average=average_resources(days),
        days=[
            DayShown(day.day, number_with_decimal(day.average), plain_number(Decimal(day.resource_hours)))
            for day in reversed(days)
        ],
        chart=chart_of_days([(day.day, day.average) for day in days]),
        stacks=counts.stack_count,
        largest_stacks=largest_stacks(organization, now)
        if may(membership, Permission.RUM_PER_STACK)
        else None,
        members=counts.member_count,
    )


def usage_of_days(organization_id: uuid.UUID, start: date, end: date) -> tuple[int, ResourcesNow | None]:
    """Resource hours, and so credits, of the UTC days from ``start`` up to, not including, ``end``.

    With them, in one statement, the resources in the last hour that was counted.
    """
    (found,) = _usage_of_days(organization_id, start, end)
    return found.total, _resources_now(found.resources, found.hour)


def _resources_now(resources: int | None, hour: datetime | None) -> ResourcesNow | None:
    return None if resources is None or hour is None else ResourcesNow(resources, hour)


def daily_resources(organization: Organization, days: int = DAYS_SHOWN) -> list[DayOfUsage]:
    """The last ``days`` UTC days up to today, in order; a day that wasn't counted is all zero."""
    today = timezone.now().date()
    shown = [today - timedelta(days=ago) for ago in reversed(range(days))]
    counted = {row.day: row for row in counted_days(organization.pk, shown[0], today)}
    return [_day_of_usage(day, counted.get(day)) for day in shown]


def _day_of_usage(day: date, row: CountedDay | None) -> DayOfUsage:
    if row is None:
        return DayOfUsage(day, Decimal(0), 0, 0)
    return DayOfUsage(
        day, Decimal(row.resource_hours) / row.hours_counted, row.resource_hours, row.hours_counted
    )


def average_resources(days: list[DayOfUsage]) -> Decimal:
    """Resources under management over a span: the average of its hourly counts."""
    hours = sum(day.hours_counted for day in days)
    return Decimal(sum(day.resource_hours for day in days)) / hours if hours else Decimal(0)


def largest_stacks(organization: Organization, now: ResourcesNow | None) -> list[StackNow]:
    """The stacks with most resources in the last counted hour, largest first."""
    return _largest_stacks(organization.pk, now.hour) if now else []
