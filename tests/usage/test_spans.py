"""Which days the dashboard tells of, as people choose them."""

from datetime import UTC, date, datetime

import pytest
from django.utils import timezone

from usage.forms import SpanForm
from usage.periods import Granularity
from usage.spans import MOST_DAYS, Span, fitting_span, usual_span

TODAY = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: TODAY)


def test_the_usual_span_ends_today_and_begins_with_a_period() -> None:
    first = {granularity: usual_span(granularity).first for granularity in MOST_DAYS}
    assert first == {
        Granularity.HOURLY: date(2026, 2, 28),
        Granularity.DAILY: date(2026, 1, 31),
        Granularity.WEEKLY: date(2025, 8, 31),
        Granularity.MONTHLY: date(2025, 4, 1),
    }
    assert not any(usual_span(granularity).too_long for granularity in MOST_DAYS)


def test_the_time_before_is_as_long_and_ends_the_day_before() -> None:
    span = Span(Granularity.DAILY, date(2026, 2, 27), date(2026, 3, 1))
    assert span.before == Span(Granularity.DAILY, date(2026, 2, 24), date(2026, 2, 26))


@pytest.mark.parametrize(
    ("asked", "span"),
    [
        ({}, Span(Granularity.DAILY, date(2026, 1, 31), TODAY.date())),
        (
            {"by": "weekly", "first": "2026-01-01", "last": "2026-02-01"},
            Span(Granularity.WEEKLY, date(2026, 1, 1), date(2026, 2, 1)),
        ),
        ({"last": "2025-12-31"}, Span(Granularity.DAILY, date(2025, 12, 2), date(2025, 12, 31))),
        (
            {"first": "2026-02-28", "last": "2027-01-01"},
            Span(Granularity.DAILY, date(2026, 2, 28), TODAY.date()),
        ),
    ],
)
def test_what_is_left_out_is_as_usual(asked: dict[str, str], span: Span) -> None:
    form = SpanForm(asked)
    assert form.is_valid(), form.errors
    assert form.span == span


@pytest.mark.parametrize(
    ("asked", "field", "says"),
    [
        ({"by": "yearly"}, "by", "Choose hour, day, week or month."),
        ({"first": "yesterday"}, "first", "Enter a day."),
        ({"first": "0001-01-01"}, "first", "Choose a day after 1999."),
        ({"last": "0001-01-01"}, "last", "Choose a day after 1999."),
        (
            {"first": "2026-02-02", "last": "2026-02-01"},
            "first",
            "Choose a day up to the last one, and not after today.",
        ),
        ({"first": "2026-03-02"}, "first", "Choose a day up to the last one, and not after today."),
        ({"by": "hourly", "first": "2026-02-01"}, "first", "By the hour, choose at most 4 days."),
        ({"first": "2025-01-01"}, "first", "By the day, choose at most 100 days."),
    ],
)
def test_what_can_not_be_told_is_refused_at_its_field(asked: dict[str, str], field: str, says: str) -> None:
    assert SpanForm(asked).errors == {field: [says]}


@pytest.mark.parametrize(
    ("first", "granularity"),
    [
        (date(2026, 3, 1), Granularity.DAILY),
        (date(2025, 11, 22), Granularity.DAILY),
        (date(2025, 11, 21), Granularity.WEEKLY),
        (date(2025, 3, 1), Granularity.WEEKLY),
        (date(2023, 3, 1), Granularity.MONTHLY),
    ],
)
def test_a_long_span_is_told_in_longer_periods(first: date, granularity: Granularity) -> None:
    span = fitting_span(first, TODAY.date())
    assert span == Span(granularity, first, TODAY.date())
    assert not span.too_long
