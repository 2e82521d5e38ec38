"""Billing periods, counted from a subscription's anchor so that they never drift."""

import calendar
from datetime import UTC, datetime, timedelta

MONTHS = {"month": 1, "year": 12}
DAYS = {"day": 1, "week": 7}


def period_end(anchor: int, start: int, interval: str, count: int) -> int:
    """The first moment after `start` that lies whole intervals after `anchor` (seconds since the epoch).

    A day that a month doesn't have becomes its last day, as Stripe does
    (https://docs.stripe.com/billing/subscriptions/billing-cycle).
    """
    first = datetime.fromtimestamp(anchor, UTC)
    if interval in DAYS:
        step = int(timedelta(days=DAYS[interval] * count).total_seconds())
        return anchor + ((start - anchor) // step + 1) * step
    months = MONTHS[interval] * count
    then = datetime.fromtimestamp(start, UTC)
    passed = (then.year - first.year) * 12 + then.month - first.month
    steps = max(passed // months, 0)
    while (end := _months_after(first, steps * months)) <= start:
        steps += 1
    return end


def months_later(moment: int, months: int) -> int:
    return _months_after(datetime.fromtimestamp(moment, UTC), months)


def period_around(anchor: int, moment: int, interval: str, count: int) -> tuple[int, int]:
    """The period that holds the moment, of those counted from the anchor in both directions."""
    first = datetime.fromtimestamp(anchor, UTC)

    def border(step: int) -> int:
        if interval in DAYS:
            return anchor + int(timedelta(days=DAYS[interval] * count * step).total_seconds())
        return _months_after(first, MONTHS[interval] * count * step)

    step = 0
    while border(step) > moment:
        step -= 1
    while border(step + 1) <= moment:
        step += 1
    return border(step), border(step + 1)


def _months_after(first: datetime, months: int) -> int:
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    day = min(first.day, calendar.monthrange(year, month + 1)[1])
    return int(first.replace(year=year, month=month + 1, day=day).timestamp())
