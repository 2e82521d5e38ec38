"""What is expected of the hours still to come, if resources stay as they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from usage.periods import DAY, HOUR
from usage.selectors import ResourcesNow
from usage.sums import CountedDay

# After so long without a count, resources may be gone, or counted late.
STALE = DAY
RANGE_DAYS = 7


@dataclass(frozen=True)
class Projection:
    """So many ``hours`` with as many ``resources`` as now.

    ``lowest``, ``highest``: of the averages of the last days, and of the resources now.
    """

    hours: int
    resources: int
    lowest: Decimal
    highest: Decimal

    @property
    def still_to_come(self) -> int:
        return self.hours * self.resources


def project(
    days: Sequence[CountedDay],
    latest: ResourcesNow,
    *,
    now: datetime,
    since: datetime,
    until: datetime,
) -> Projection | None:
    """Of the hours that begin from ``since``, a full hour, up to ``until``.

    ``days``: the last ones, or more. None: the last counted hour lies too far back.
    """
    if now - latest.hour > STALE:
        return None
    first = now.date() - RANGE_DAYS * DAY
    levels = [
        Decimal(latest.resources),
        *(Decimal(row.resource_hours) / row.hours_counted for row in days if row.day > first),
    ]
    hours = max(0, -((since - until) // HOUR))
    return Projection(hours, latest.resources, lowest=min(levels), highest=max(levels))
