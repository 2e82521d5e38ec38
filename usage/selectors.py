"""What pages read about usage."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from orgs.compiled import compiled
from orgs.models import Organization
from orgs.rows import count_of
from usage.models import HourlyCount, OrganizationDay, OrganizationHour, Stack

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
    counted = with_latest_hour(organization).annotate(total=Coalesce(Subquery(total), 0))
    return counted.values_list(*UsageOfDays._fields)


class Counts(NamedTuple):
    """Of an organization: its resources in the last counted ``hour``, and its stacks."""

    resources: int | None
    hour: datetime | None
    stack_count: int


NOTHING_COUNTED = Counts(None, None, 0)


@compiled(Counts)
def counts_of(organization: uuid.UUID) -> QuerySet[Organization, Any]:
    stacks = Stack.objects.filter(organization=organization)
    counted = with_latest_hour(organization).annotate(stack_count=count_of(stacks))
    return counted.values_list(*Counts._fields)


def with_latest_hour(organization: uuid.UUID) -> QuerySet[Organization, Any]:
    """The organization with the ``resources`` in the last ``hour`` that was counted."""
    latest = OrganizationHour.objects.filter(organization=organization).order_by("-hour")[:1]
    return Organization.objects.filter(pk=organization).annotate(
        resources=Subquery(latest.values("resources")), hour=Subquery(latest.values("hour"))
    )


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


def usage_of_days(organization_id: uuid.UUID, start: date, end: date) -> tuple[int, ResourcesNow | None]:
    """Resource hours, and so credits, of the UTC days from ``start`` up to, not including, ``end``.

    With them, in one statement, the resources in the last hour that was counted.
    """
    (found,) = _usage_of_days(organization_id, start, end)
    return found.total, resources_now(found.resources, found.hour)


def resources_now(resources: int | None, hour: datetime | None) -> ResourcesNow | None:
    """None where nothing was counted yet."""
    return None if resources is None or hour is None else ResourcesNow(resources, hour)


def largest_stacks(organization: Organization, now: ResourcesNow | None) -> list[StackNow]:
    """The stacks with most resources in the last counted hour, largest first."""
    return _largest_stacks(organization.pk, now.hour) if now else []
