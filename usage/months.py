"""The calendar month as it goes: used so far, and what is expected by its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from usage.periods import DAY, HOUR, beginning
from usage.sums import CountedDay

# After so long without a count, resources may be gone, or counted late.
STALE = DAY
RANGE_DAYS = 7


@dataclass(frozen=True)
class Projection:
    """What is expected of the hours still to come, if resources stay as they are.

    ``lowest``, ``highest``: of the averages of the last days, and of the resources now.
    """

    hours: int
    resources: int
    lowest: Decimal
    highest: Decimal

    @property
    def still_to_come(self) -> int:
        return self.hours * self.resources


@dataclass(frozen=True)
class MonthOfUsage:
    """Resource hours of a calendar month (UTC). ``until``: the end of the last hour that was counted.

    ``projection``: None where the last counted hour lies too far back. ``before``: of the whole month before,
    as far as it was counted.
    """

    month: date
    used: int
    until: datetime
    projection: Projection | None
    month_before: date
    before: int

    @property
    def expected(self) -> int | None:
        """By the end of the month."""
        return self.used + self.projection.still_to_come if self.projection else None

    @property
    def least(self) -> Decimal | None:
        return self.used + self.projection.hours * self.projection.lowest if self.projection else None

    @property
    def most(self) -> Decimal | None:
        return self.used + self.projection.hours * self.projection.highest if self.projection else None


def first_day_needed(today: date) -> date:
    """From which day on counts are needed: the month before, and so the days of the range too."""
    return (today.replace(day=1) - DAY).replace(day=1)


def month_of_usage(
    days: Sequence[CountedDay], *, now: datetime, resources: int, hour: datetime
) -> MonthOfUsage:
    """``days``: those with counts from ``first_day_needed`` on. ``resources``: in the last ``hour``."""
    month = now.date().replace(day=1)
    month_before = first_day_needed(now.date())
    return MonthOfUsage(
        month=month,
        used=sum(row.resource_hours for row in days if row.day >= month),
        until=hour + HOUR,
        projection=_projection(days, now, resources, hour),
        month_before=month_before,
        before=sum(row.resource_hours for row in days if month_before <= row.day < month),
    )


def _projection(
    days: Sequence[CountedDay], now: datetime, resources: int, hour: datetime
) -> Projection | None:
    if now - hour > STALE:
        return None
    month_end = beginning((now.date().replace(day=1) + 31 * DAY).replace(day=1))
    first_hour = max(hour + HOUR, beginning(now.date().replace(day=1)))
    since = now.date() - RANGE_DAYS * DAY
    levels = [
        Decimal(resources),
        *(Decimal(row.resource_hours) / row.hours_counted for row in days if row.day > since),
    ]
    hours = (month_end - first_hour) // HOUR
    return Projection(hours, resources, lowest=min(levels), highest=max(levels))
