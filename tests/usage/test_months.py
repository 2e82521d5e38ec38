"""The month as it goes: what is still to come, and between which figures."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from usage.months import MonthOfUsage, first_day_needed, month_of_usage
from usage.sums import CountedDay

NOW = datetime(2026, 11, 26, 18, 30, tzinfo=UTC)
HOUR = NOW.replace(minute=0)


def month(
    days: list[CountedDay], *, now: datetime = NOW, hour: datetime = HOUR, resources: int = 625
) -> MonthOfUsage:
    return month_of_usage(days, now=now, resources=resources, hour=hour)


def test_the_rest_of_the_month_is_expected_as_it_is_now() -> None:
    told = month(
        [
            CountedDay(date(2026, 10, 31), 1_000, 24),
            CountedDay(date(2026, 11, 1), 24 * 600, 24),
            CountedDay(date(2026, 11, 19), 24 * 700, 24),
            CountedDay(date(2026, 11, 20), 24 * 650, 24),
            CountedDay(date(2026, 11, 26), 19 * 640, 19),
        ]
    )
    assert told.used == 24 * 600 + 24 * 700 + 24 * 650 + 19 * 640
    assert (told.month_before, told.before) == (date(2026, 10, 1), 1_000)
    assert told.until == datetime(2026, 11, 26, 19, tzinfo=UTC)
    assert told.projection
    # 5 hours of the 26th and 4 days.
    assert told.projection.hours == 5 + 4 * 24
    assert told.expected == told.used + 101 * 625
    # The last seven days begin with the 20th.
    assert (told.least, told.most) == (told.used + 101 * 625, told.used + 101 * 650)


def test_a_whole_month_of_the_same_count_is_expected_to_the_credit() -> None:
    now = datetime(2026, 11, 10, 7, 5, tzinfo=UTC)
    days = [CountedDay(date(2026, 11, day), 24 * 625, 24) for day in range(1, 10)]
    told = month([*days, CountedDay(date(2026, 11, 10), 8 * 625, 8)], now=now, hour=now.replace(minute=0))
    assert told.expected == told.least == told.most == 450_000


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        (datetime(2026, 11, 30, 23, 59, tzinfo=UTC), 0),
        (datetime(2026, 12, 1, tzinfo=UTC), 31 * 24 - 1),
        (datetime(2028, 2, 29, 12, tzinfo=UTC), 11),
        (datetime(2026, 12, 31, 12, tzinfo=UTC), 11),
    ],
)
def test_the_hours_to_come_end_with_the_month(now: datetime, hours: int) -> None:
    told = month([], now=now, hour=now.replace(minute=0))
    assert told.projection
    assert told.projection.hours == hours
    assert told.projection.lowest == told.projection.highest == Decimal(625)


def test_hours_that_were_counted_last_in_the_month_before_take_none_of_this_one() -> None:
    told = month([], now=datetime(2026, 12, 1, 3, tzinfo=UTC), hour=datetime(2026, 11, 30, 20, tzinfo=UTC))
    assert told.projection
    assert told.projection.hours == 31 * 24
    assert told.used == 0


def test_nothing_is_expected_of_resources_that_were_not_counted_for_a_day() -> None:
    told = month([CountedDay(date(2026, 11, 24), 24, 24)], hour=NOW - timedelta(hours=25))
    assert (told.projection, told.expected, told.least, told.most) == (None, None, None, None)
    assert told.used == 24


@pytest.mark.parametrize(
    ("today", "first"),
    [(date(2026, 1, 31), date(2025, 12, 1)), (date(2028, 3, 1), date(2028, 2, 1))],
)
def test_days_are_needed_from_the_month_before_on(today: date, first: date) -> None:
    assert first_day_needed(today) == first
