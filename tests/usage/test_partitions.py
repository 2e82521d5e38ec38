"""Months of hourly counts: made ahead, kept as long as the setting says, dropped whole."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from orgs.errors import Refused
from orgs.models import Organization
from usage import tasks
from usage.models import HourlyCount, OrganizationDay, OrganizationHour
from usage.partitions import (
    drop_old_partitions,
    ensure_partitions,
    first_kept_month,
    month_after,
    partitions,
)
from usage.readings import HourlyReading
from usage.services import record_counts


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> object:
    """Sets the day on which the tasks run."""

    def set_day(day: date) -> None:
        now = datetime(day.year, day.month, day.day, 3, 30, tzinfo=UTC)
        monkeypatch.setattr(tasks.timezone, "now", lambda: now)

    return set_day


@given(st.dates(date(2000, 1, 1), date(2400, 12, 31)))
def test_the_month_after_any_day_begins_once_its_own_ends(day: date) -> None:
    first = month_after(day)
    assert first.day == 1
    last = first - timedelta(days=1)
    assert (last.year, last.month) == (day.year, day.month)


@pytest.mark.parametrize(
    ("day", "months", "first"),
    [
        (date(2026, 11, 26), 13, date(2025, 10, 1)),
        (date(2026, 1, 1), 13, date(2024, 12, 1)),
        (date(2026, 1, 31), 12, date(2025, 1, 1)),
        (date(2025, 3, 31), 13, date(2024, 2, 1)),
        (date(2024, 2, 29), 12, date(2023, 2, 1)),
        (date(2026, 12, 31), 0, date(2026, 12, 1)),
    ],
)
def test_this_month_is_kept_and_so_many_before_it(
    settings: LazySettings, day: date, months: int, first: date
) -> None:
    settings.USAGE_MONTHS_KEPT = months
    assert first_kept_month(day) == first


def bounds(month: date) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL TimeZone = 'UTC'")
        cursor.execute(
            "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = %s",
            [f"usage_hourlycount_{month:%Y_%m}"],
        )
        return str(cursor.fetchone()[0])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("day", "made"),
    [
        (date(2028, 1, 31), [date(2028, 1, 1), date(2028, 2, 1)]),
        (date(2028, 2, 29), [date(2028, 2, 1), date(2028, 3, 1)]),
        (date(2100, 2, 28), [date(2100, 2, 1), date(2100, 3, 1)]),
        (date(2029, 12, 31), [date(2029, 12, 1), date(2030, 1, 1)]),
    ],
)
def test_the_task_makes_this_month_and_the_next(today: object, day: date, made: list[date]) -> None:
    today(day)  # type: ignore[operator]
    before = partitions()
    for _time in range(2):
        tasks.prepare_partitions()
        assert sorted(partitions() - before) == made
    for month in made:
        end = month_after(month)
        assert bounds(month) == f"FOR VALUES FROM ('{month} 00:00:00+00') TO ('{end} 00:00:00+00')"


@pytest.mark.django_db
def test_whole_months_go_a_day_after_their_hours_are_refused_and_sums_stay(
    organization: Organization, today: object
) -> None:
    now = timezone.now().date()
    oldest = first_kept_month(now)
    hour = datetime(oldest.year, oldest.month, 1, tzinfo=UTC)
    record_counts(
        organization_id=organization.pk, counts=[HourlyReading(stack="web", hour=hour, resources=5)]
    )
    with pytest.raises(Refused):
        record_counts(
            organization_id=organization.pk,
            counts=[HourlyReading(stack="web", hour=hour - timedelta(hours=1), resources=5)],
        )
    next_month = month_after(now)
    for day, kept in ((next_month, True), (next_month + timedelta(days=1), False)):
        today(day)  # type: ignore[operator]
        tasks.drop_months_no_longer_kept()
        assert (oldest in partitions()) is kept
    assert not HourlyCount.objects.exists()
    assert OrganizationHour.objects.get().resources == 5
    assert OrganizationDay.objects.get().resource_hours == 5


@pytest.mark.django_db
def test_only_old_months_are_dropped(settings: LazySettings) -> None:
    settings.USAGE_MONTHS_KEPT = 2
    months = [date(2023, 12, 1), date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 1)]
    ensure_partitions(months)
    assert drop_old_partitions(date(2024, 3, 31)) == months[:1]
    assert drop_old_partitions(date(2024, 3, 31)) == []
    assert set(months) - partitions() == {months[0]}
