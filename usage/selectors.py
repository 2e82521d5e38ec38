"""What pages read about usage."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Sum
from django.utils import timezone

from orgs.models import Membership, Organization
from orgs.policy import Permission, may
from orgs.rows import fetch_rows, fetch_total
from orgs.selectors import member_count
from usage.charts import BarChart, chart_of_days
from usage.models import OrganizationDay

DAYS_SHOWN = 30
STACKS_SHOWN = 10

USAGE_OF_DAYS = """
    SELECT days.total, hours.resources, hours.hour
    FROM (
        SELECT COALESCE(sum(resource_hours), 0)::bigint AS total FROM usage_organizationday
        WHERE organization_id = %(organization)s AND day >= %(start)s AND day < %(end)s
    ) AS days
    LEFT JOIN (
        SELECT resources, hour FROM usage_organizationhour
        WHERE organization_id = %(organization)s ORDER BY hour DESC LIMIT 1
    ) AS hours ON true
"""
COUNTED_DAYS = """
    SELECT day, resource_hours, hours_counted FROM usage_organizationday
    WHERE organization_id = %(organization)s AND day BETWEEN %(first)s AND %(last)s
"""
STACKS = "SELECT count(*) FROM usage_stack WHERE organization_id = %(organization)s"
LARGEST_STACKS = """
    SELECT s.name, c.resources
    FROM usage_hourlycount c JOIN usage_stack s ON s.id = c.stack_id
    WHERE c.organization_id = %(organization)s AND c.hour = %(hour)s
    ORDER BY c.resources DESC, s.name LIMIT %(most)s
"""


class ResourcesNow(NamedTuple):
    """Resources under management in the last hour that was counted, and that hour."""

    resources: int
    hour: datetime


class UsageOfDays(NamedTuple):
    total: int
    resources: int | None
    hour: datetime | None


class CountedDay(NamedTuple):
    """One UTC day with counts: the sum over its hours, and how many of them there are."""

    day: date
    resource_hours: int
    hours_counted: int


@dataclass(frozen=True)
class DayOfUsage:
    """One UTC day. ``average``: resources under management over the hours that were counted."""

    day: date
    average: Decimal
    resource_hours: int
    hours_counted: int


@dataclass(frozen=True)
class StackNow:
    """One stack in the last hour that was counted."""

    name: str
    resources: int


@dataclass(frozen=True)
class Dashboard:
    """The dashboard's figures. ``largest_stacks`` is None for who may see the summary only (seed 001)."""

    now: ResourcesNow | None
    average: Decimal
    days: list[DayOfUsage]
    chart: BarChart
    stacks: int
    largest_stacks: list[StackNow] | None
    members: int


def dashboard(membership: Membership) -> Dashboard:
    """All that the dashboard shows to this person."""
    organization = membership.organization
    now = resources_now(organization)
    days = daily_resources(organization, days=DAYS_SHOWN)
    return Dashboard(
        now=now,
        average=average_resources(days),
        days=days,
        chart=chart_of_days([(day.day, day.average) for day in days]),
        stacks=stack_count(organization),
        largest_stacks=largest_stacks(organization, now)
        if may(membership, Permission.RUM_PER_STACK)
        else None,
        members=member_count(organization.pk),
    )


def resources_now(organization: Organization) -> ResourcesNow | None:
    """Resources in the last hour that was counted, or None when none was."""
    today = timezone.now().date()
    _no_hours, now = usage_of_days(organization.pk, today, today)
    return now


def resource_hours(organization_id: uuid.UUID, start: date, end: date) -> int:
    """Resource hours, and so credits, of the UTC days from ``start`` up to, not including, ``end``."""
    hours, _now = usage_of_days(organization_id, start, end)
    return hours


def usage_of_days(organization_id: uuid.UUID, start: date, end: date) -> tuple[int, ResourcesNow | None]:
    """``resource_hours`` and ``resources_now`` in one statement."""
    (found,) = fetch_rows(UsageOfDays, USAGE_OF_DAYS, organization=organization_id, start=start, end=end)
    if found.resources is None or found.hour is None:
        return found.total, None
    return found.total, ResourcesNow(found.resources, found.hour)


def resource_hours_of(organization_ids: list[uuid.UUID], start: date, end: date) -> dict[uuid.UUID, int]:
    """As ``resource_hours``, for several organizations at once; one without usage is left out."""
    days = OrganizationDay.objects.filter(organization__in=organization_ids, day__gte=start, day__lt=end)
    totals = days.values("organization").annotate(total=Sum("resource_hours")).order_by()
    return {row["organization"]: row["total"] for row in totals}


def daily_resources(organization: Organization, days: int = DAYS_SHOWN) -> list[DayOfUsage]:
    """The last ``days`` UTC days up to today, in order; a day that wasn't counted is all zero."""
    today = timezone.now().date()
    shown = [today - timedelta(days=ago) for ago in reversed(range(days))]
    rows = fetch_rows(CountedDay, COUNTED_DAYS, organization=organization.pk, first=shown[0], last=today)
    counted = {row.day: row for row in rows}
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


def stack_count(organization: Organization) -> int:
    return fetch_total(STACKS, organization=organization.pk)


def largest_stacks(organization: Organization, now: ResourcesNow | None) -> list[StackNow]:
    """The stacks with most resources in the last counted hour, largest first."""
    if now is None:
        return []
    return fetch_rows(
        StackNow, LARGEST_STACKS, organization=organization.pk, hour=now.hour, most=STACKS_SHOWN
    )
