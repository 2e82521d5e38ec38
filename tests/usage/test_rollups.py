"""rebuild_rollups: each kind of difference is told, and mended where that is asked for."""

from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from orgs.models import Organization
from tests.factories import OrganizationFactory
from usage.models import OrganizationDay, OrganizationHour
from usage.partitions import drop_old_partitions
from usage.readings import HourlyReading
from usage.services import record_counts

pytestmark = pytest.mark.django_db
NOON = datetime.combine(timezone.now().date() - timedelta(days=1), datetime.min.time(), UTC).replace(hour=12)


@pytest.fixture
def counted(organization: Organization) -> Organization:
    record(organization, NOON, NOON + timedelta(hours=1))
    record(OrganizationFactory(), NOON)
    return organization


def record(organization: Organization, *hours: datetime) -> None:
    counts = [
        HourlyReading(stack=stack, hour=hour, resources=5) for hour in hours for stack in ("web", "data")
    ]
    record_counts(organization_id=organization.pk, counts=counts)


def rebuilt(*arguments: str) -> str:
    out = StringIO()
    call_command("rebuild_rollups", *arguments, stdout=out)
    return out.getvalue()


def sums() -> list[object]:
    hours = OrganizationHour.objects.order_by("organization", "hour")
    days = OrganizationDay.objects.order_by("organization", "day")
    return [
        *hours.values_list("organization", "hour", "resources"),
        *days.values_list("organization", "day", "resource_hours", "hours_counted"),
    ]


@pytest.mark.usefixtures("counted")
def test_sums_that_are_right_stay() -> None:
    before = sums()
    assert "2 organizations compared. Differences: hours 0, days 0.\n" in rebuilt("--mend")
    assert sums() == before


def test_what_is_wrong_missing_or_too_much_is_told_and_mended(counted: Organization) -> None:
    before = sums()
    hours = OrganizationHour.objects.filter(organization=counted)
    hours.filter(hour=NOON).update(resources=11)
    hours.filter(hour=NOON + timedelta(hours=1)).delete()
    OrganizationHour.objects.create(organization=counted, hour=NOON - timedelta(hours=1), resources=3)
    OrganizationDay.objects.filter(organization=counted).update(hours_counted=3)
    wrong = sums()
    out = StringIO()
    with pytest.raises(CommandError, match="hours 3, days 1"):
        call_command("rebuild_rollups", counted.slug, stdout=out)
    assert sums() == wrong
    told = out.getvalue()
    for kept, of_stacks in ((11, 10), (None, 10), (3, None)):
        assert f"kept {kept}, counted {of_stacks}\n" in told
    assert "kept 20 in 3 hours, counted 20 in 2 hours" in told
    assert "They are mended." in rebuilt("--mend")
    assert sums() == before


def test_sums_of_months_that_are_no_longer_kept_stay(counted: Organization) -> None:
    OrganizationHour.objects.create(
        organization=counted, hour=datetime(2021, 3, 31, 23, tzinfo=UTC), resources=7
    )
    OrganizationDay.objects.create(
        organization=counted, day=date(2021, 3, 31), resource_hours=7, hours_counted=1
    )
    before = sums()
    drop_old_partitions(timezone.now().date())
    rebuilt("--mend")
    assert sums() == before


def test_an_unknown_organization_is_told() -> None:
    with pytest.raises(CommandError, match="no organization nowhere"):
        rebuilt("nowhere")
