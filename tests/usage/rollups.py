"""Roll-ups of any age, written without their hourly counts per stack."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import groupby

from orgs.models import Organization
from usage.models import OrganizationDay, OrganizationHour


def count_hours(organization: Organization, counts: Mapping[datetime, int]) -> None:
    """``counts``: the resources of each UTC hour."""
    OrganizationHour.objects.bulk_create(
        OrganizationHour(organization=organization, hour=hour, resources=resources)
        for hour, resources in counts.items()
    )
    days = {day: list(hours) for day, hours in groupby(sorted(counts), key=lambda hour: hour.date())}
    OrganizationDay.objects.bulk_create(
        OrganizationDay(
            organization=organization,
            day=day,
            resource_hours=sum(counts[hour] for hour in hours),
            hours_counted=len(hours),
        )
        for day, hours in days.items()
    )


def hours_from(first: datetime, resources: int, hours: int) -> dict[datetime, int]:
    return {first + timedelta(hours=number): resources for number in range(hours)}
