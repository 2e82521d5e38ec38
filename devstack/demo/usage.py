"""The demo's usage: invented, the same for the same days, and going on to the present hour."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from django.db.models import Max, Min
from django.utils import timezone

from devstack.demo.cast import DemoOrganization, DemoStack
from orgs.models import Organization
from usage.models import OrganizationHour
from usage.readings import HourlyReading
from usage.services import record_counts

HOUR = timedelta(hours=1)
# A demo that comes back after long isn't told all that it missed.
LONGEST_GAP = timedelta(days=62)
WORKING_HOURS = range(7, 19)


def bring_up_to_now(organization: Organization, cast: DemoOrganization) -> None:
    """Record the hours since the last that was counted; at first, those since ``months_of_usage`` ago."""
    now = timezone.now().astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    counted = OrganizationHour.objects.filter(organization=organization).aggregate(
        first=Min("hour"), last=Max("hour")
    )
    first = counted["first"] or months_before(now, cast.months_of_usage)
    start = max(counted["last"] + HOUR, now - LONGEST_GAP) if counted["last"] else first
    hours = [start + HOUR * number for number in range((now - start) // HOUR + 1)]
    record_counts(
        organization_id=organization.pk,
        counts=[
            HourlyReading(stack=stack.name, hour=hour, resources=resources)
            for stack in cast.stacks
            for hour, resources in resources_of(stack, hours, since=first.date())
        ],
    )


def months_before(moment: datetime, months: int) -> datetime:
    """Midnight of the first day of the month so many months earlier."""
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC)


def resources_of(stack: DemoStack, hours: list[datetime], *, since: date) -> Iterator[tuple[datetime, int]]:
    """Steady growth with a little chance; what runs by day only is torn down at night and on weekends."""
    day, chance = None, random.Random()
    level = 0
    for hour in hours:
        if hour.date() != day:
            day = hour.date()
            chance = random.Random(f"{stack.name} {day}")
            grown = stack.resources * (3000 + stack.growth * (day - since).days) // 3000
            level = grown + chance.randint(-grown // 25, grown // 25)
        idle = stack.by_day and (hour.weekday() >= 5 or hour.hour not in WORKING_HOURS)
        yield hour, 3 if idle else level
