"""Whether the hours and days of organizations are the sums of the counts, where those are kept.

They are, unless somebody changed a table by hand: see ``usage.services``. Of earlier months only sums stay.
"""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db import connection, transaction

from usage.models import OrganizationDay, OrganizationHour
from usage.partitions import partitions
from usage.settling import hold_recording

HOURS = """
WITH counted AS (
    SELECT hour, sum(resources) AS resources FROM usage_hourlycount
    WHERE organization_id = %(organization)s GROUP BY hour
), kept AS (
    SELECT hour, resources FROM usage_organizationhour WHERE organization_id = %(organization)s
    AND date_trunc('month', hour AT TIME ZONE 'UTC')::date = ANY(%(months)s::date[])
)
SELECT hour, kept.resources, counted.resources FROM kept FULL JOIN counted USING (hour)
WHERE kept.resources IS DISTINCT FROM counted.resources ORDER BY hour
"""
DAYS = """
WITH counted AS (
    SELECT (hour AT TIME ZONE 'UTC')::date AS day, sum(resources) AS resource_hours,
        count(DISTINCT hour) AS hours_counted
    FROM usage_hourlycount WHERE organization_id = %(organization)s GROUP BY 1
), kept AS (
    SELECT day, resource_hours, hours_counted FROM usage_organizationday
    WHERE organization_id = %(organization)s AND date_trunc('month', day)::date = ANY(%(months)s::date[])
)
SELECT day, kept.resource_hours, kept.hours_counted, counted.resource_hours, counted.hours_counted
FROM kept FULL JOIN counted USING (day)
WHERE (kept.resource_hours, kept.hours_counted)
    IS DISTINCT FROM (counted.resource_hours, counted.hours_counted)
ORDER BY day
"""


class HourDiffers(NamedTuple):
    """``kept``: resources by the roll-up; ``counted``: those of the stacks. None: there is no such hour."""

    hour: datetime
    kept: int | None
    counted: int | None


class DayDiffers(NamedTuple):
    """The same of a day: its resource hours, and how many of its hours were counted."""

    day: date
    kept: int | None
    kept_hours: int | None
    counted: int | None
    counted_hours: int | None


@dataclass(frozen=True)
class Differences:
    hours: list[HourDiffers]
    days: list[DayDiffers]


@transaction.atomic
def compare(organization_id: uuid.UUID, *, mend: bool) -> Differences:
    """Where the roll-ups are not the sums. ``mend``: make them so."""
    hold_recording(organization_id)
    with connection.cursor() as cursor:
        # With its partitions, so that none is dropped before it is read.
        cursor.execute("LOCK TABLE usage_hourlycount IN ACCESS SHARE MODE")
        facts: dict[str, Any] = {"organization": organization_id, "months": sorted(partitions())}
        cursor.execute(HOURS, facts)
        hours = [HourDiffers(*row) for row in cursor.fetchall()]
        cursor.execute(DAYS, facts)
        days = [DayDiffers(*row) for row in cursor.fetchall()]
    if mend:
        _mend_hours(organization_id, hours)
        _mend_days(organization_id, days)
    return Differences(hours, days)


def _mend_hours(organization_id: uuid.UUID, hours: list[HourDiffers]) -> None:
    wrong = OrganizationHour.objects.filter(organization=organization_id)
    wrong.filter(hour__in=[one.hour for one in hours]).delete()
    OrganizationHour.objects.bulk_create(
        OrganizationHour(organization_id=organization_id, hour=one.hour, resources=one.counted)
        for one in hours
        if one.counted is not None
    )


def _mend_days(organization_id: uuid.UUID, days: list[DayDiffers]) -> None:
    wrong = OrganizationDay.objects.filter(organization=organization_id)
    wrong.filter(day__in=[one.day for one in days]).delete()
    OrganizationDay.objects.bulk_create(
        OrganizationDay(
            organization_id=organization_id,
            day=one.day,
            resource_hours=one.counted,
            hours_counted=one.counted_hours,
        )
        for one in days
        if one.counted is not None and one.counted_hours is not None
    )
