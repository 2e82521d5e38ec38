"""Sums by period: whatever the period, the same hours are added up."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orgs.models import Organization
from tests.factories import OrganizationFactory
from tests.usage.rollups import count_hours
from usage.models import OrganizationDay, OrganizationHour
from usage.periods import Granularity, first_full_hour, period_of, week_number
from usage.sums import sums_by

# Ends of months, years and weeks; leap days of 2024 and 2028, and the lack of them in 2026.
TURNS = [
    datetime(2023, 12, 31, tzinfo=UTC),
    datetime(2024, 2, 29, tzinfo=UTC),
    datetime(2025, 1, 4, tzinfo=UTC),
    datetime(2026, 2, 28, tzinfo=UTC),
    datetime(2026, 10, 25, tzinfo=UTC),
    datetime(2028, 2, 29, tzinfo=UTC),
]
HOURS_AROUND = 24 * 10
# How a period is written, by Python's own calendar.
WRITTEN = {
    Granularity.HOURLY: "%Y-%m-%d %H",
    Granularity.DAILY: "%Y-%m-%d",
    Granularity.WEEKLY: "%Y week %U",
    Granularity.MONTHLY: "%Y-%m",
    Granularity.YEARLY: "%Y",
}


@pytest.fixture
def organization(db: None) -> Organization:
    return OrganizationFactory()


@given(
    turn=st.sampled_from(TURNS),
    counts=st.dictionaries(
        st.integers(-HOURS_AROUND, HOURS_AROUND), st.integers(0, 10**9), min_size=1, max_size=30
    ),
    minutes_before=st.integers(0, 60 * HOURS_AROUND),
    days=st.integers(0, 12),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_granularity_adds_up_the_same_hours(
    organization: Organization, turn: datetime, counts: dict[int, int], minutes_before: int, days: int
) -> None:
    for rows in (OrganizationHour, OrganizationDay):
        rows.objects.all().delete()
    by_hour = {turn + timedelta(hours=hours): resources for hours, resources in counts.items()}
    count_hours(organization, by_hour)
    since = turn - timedelta(minutes=minutes_before)
    last = (turn + timedelta(days=days)).date()
    within = {hour: n for hour, n in by_hour.items() if since <= hour and hour.date() <= last}
    for granularity, pattern in WRITTEN.items():
        expected: dict[str, list[int]] = {}
        for hour in sorted(within):
            expected.setdefault(hour.strftime(pattern), []).append(within[hour])
        told = {
            one.start.strftime(pattern): (one.resource_hours, one.hours_counted)
            for one in sums_by(granularity, organization.pk, since, last)
        }
        assert told == {name: (sum(of), len(of)) for name, of in expected.items()}


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_a_week_begins_on_sunday_or_with_the_year(day: date) -> None:
    first = period_of(day, Granularity.WEEKLY)
    assert first.strftime("%a") == "Sun" or (first.month, first.day) == (1, 1)
    assert first.year == day.year
    assert 0 <= (day - first).days < 7
    assert 0 <= week_number(day) == week_number(first) <= 53


def test_an_hour_that_has_begun_before_is_not_full() -> None:
    hour = datetime(2026, 11, 26, 18, tzinfo=UTC)
    assert first_full_hour(hour) == hour
    assert first_full_hour(hour + timedelta(microseconds=1)) == hour + timedelta(hours=1)
