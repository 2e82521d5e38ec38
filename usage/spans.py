"""Spans of UTC days for which pages and files tell of usage."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

from usage.periods import DAY, Granularity, period_of

# How far back a span reaches where nobody chose one, and how long it may be: a chart has about 100 bars.
USUAL_DAYS = {
    Granularity.HOURLY: 2,
    Granularity.DAILY: 30,
    Granularity.WEEKLY: 26 * 7,
    Granularity.MONTHLY: 335,
}
MOST_DAYS = {
    Granularity.HOURLY: 4,
    Granularity.DAILY: 100,
    Granularity.WEEKLY: 98 * 7,
    Granularity.MONTHLY: 8 * 366,
}
EARLIEST = date(2000, 1, 1)


@dataclass(frozen=True)
class Span:
    """The UTC days from ``first`` to ``last``, both included, told by ``granularity``."""

    granularity: Granularity
    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def before(self) -> "Span":
        """As many days right before it."""
        length = timedelta(days=self.days)
        return Span(self.granularity, self.first - length, self.last - length)

    @property
    def query(self) -> str:
        """What asks for it."""
        return f"by={self.granularity.value}&first={self.first}&last={self.last}"

    @property
    def too_long(self) -> bool:
        return self.days > MOST_DAYS[self.granularity]


def usual_span(granularity: Granularity = Granularity.DAILY, last: date | None = None) -> Span:
    """The span that is told unless another is chosen; without ``last`` up to today."""
    last = last or timezone.now().date()
    first = last - DAY * (USUAL_DAYS[granularity] - 1)
    return Span(granularity, period_of(first, granularity), last)


def fitting_span(first: date, last: date) -> Span:
    """By day; by week or month where there would be too many bars."""
    by_day, by_week, by_month = (
        Span(granularity, first, last)
        for granularity in (Granularity.DAILY, Granularity.WEEKLY, Granularity.MONTHLY)
    )
    return next((span for span in (by_day, by_week) if not span.too_long), by_month)
