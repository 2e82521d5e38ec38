"""Hours, days, weeks, months and years over which usage is summed: all of them in UTC."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Granularity(StrEnum):
    """How long a period is. A week begins on Sunday or with the year, so that it lies in one year."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    YEARLY = "yearly"


def period_of(day: date, granularity: Granularity) -> date:
    """The first day of the period, of a day or longer, in which a day lies."""
    match granularity:
        case Granularity.WEEKLY:
            return max(day - DAY * (day.isoweekday() % 7), date(day.year, 1, 1))
        case Granularity.MONTHLY:
            return day.replace(day=1)
        case Granularity.YEARLY:
            return date(day.year, 1, 1)
    return day


def week_number(day: date) -> int:
    """From 0, for the days before the year's first Sunday, to 53."""
    return int(day.strftime("%U"))


def beginning(day: date) -> datetime:
    """The first instant of a UTC day."""
    return datetime.combine(day, time(), UTC)


def first_full_hour(at: datetime) -> datetime:
    """The first UTC hour that begins at an instant or after it."""
    begun = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return begun if begun == at else begun + HOUR
