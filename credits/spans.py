"""When what was counted is closed.

On-demand credits are invoiced for a period, of one that is longer than a month for each calendar month (UTC)
in it. What is counted later of an hour before is booked in the span that is open then.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import NamedTuple

from credits.models import Period

# Late hours reach their own span for so long after its end.
STAYS_OPEN = timedelta(days=1)
LONGEST = timedelta(days=31)


class Span(NamedTuple):
    """Half-open, in UTC."""

    since: datetime
    until: datetime


def period_at(periods: Sequence[Period], at: datetime) -> Period | None:
    """``periods``: all of an organization, in order. None: credits aren't counted then."""
    place = bisect_right(periods, at, key=lambda period: period.starts_at)
    period = periods[place - 1] if place else None
    return period if period is not None and at < period.ends_at else None


def open_since(periods: Sequence[Period], seen_until: datetime) -> datetime:
    """The beginning of the earliest span that is still open, or the end of the last one. There must be a
    period.

    ``seen_until``: the hours before it were looked at.
    """
    closes_at = seen_until - STAYS_OPEN
    borders = (border for _period, span in all_spans(periods) for border in span)
    return max((border for border in borders if border <= closes_at), default=periods[0].starts_at)


def open_span_from(periods: Sequence[Period], closed_until: datetime) -> datetime | None:
    """Where the first span begins that isn't closed; None: none has begun yet."""
    return next((span.since for _period, span in all_spans(periods) if span.since >= closed_until), None)


def all_spans(periods: Sequence[Period]) -> Iterator[tuple[Period, Span]]:
    """``periods``: all of an organization, in order; each of their spans, in order."""
    for period, following in zip_longest(periods, periods[1:]):
        until = end_of(period, following.starts_at if following else None)
        yield from ((period, span) for span in invoiced_spans(period, until))


def invoiced_spans(period: Period, until: datetime) -> Iterator[Span]:
    """For which the on-demand credits of a period that really ends at ``until`` are invoiced, in order."""
    since = period.starts_at
    if period.ends_at - since > LONGEST:
        while (month := _next_month(since)) < until:
            yield Span(since, month)
            since = month
    yield Span(since, until)


def end_of(period: Period, following: datetime | None) -> datetime:
    """When a period really ends: the following one may begin earlier than it was to end."""
    return min(period.ends_at, following) if following else period.ends_at


def _next_month(at: datetime) -> datetime:
    """The first instant of the next month (UTC)."""
    return (at.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=32)).replace(day=1)
