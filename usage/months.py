"""The calendar month as it goes: used so far, and what is expected by its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from usage.periods import DAY, HOUR, beginning
from usage.projections import Projection, project
from usage.selectors import ResourcesNow
from usage.sums import CountedDay


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
    month = now.date().replace(day=1)
    return project(
        days,
        ResourcesNow(resources, hour),
        now=now,
        since=max(hour + HOUR, beginning(month)),
        until=beginning((month + 31 * DAY).replace(day=1)),
    )
