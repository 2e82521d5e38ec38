"""Dates and times, as people read them: one rule for pages and mails.

A **day** is a day in UTC for every reader: on which Stripe charges, for which usage is counted, the last day
of somebody. A **moment** is told in the time zone of its reader, which it names by its distance from UTC: so
it is exact also in the hour that a clock shows twice in autumn.
"""

from datetime import UTC, date, datetime, timedelta
from functools import cache

from django.conf import settings
from django.utils import timezone
from django.utils.dates import MONTHS
from django.utils.translation import get_language

SEVERAL_LANGUAGES = len(settings.LANGUAGES) > 1


def page_language() -> str | None:
    """The language that words are kept by; None while the site has one only, since asking takes long."""
    return get_language() if SEVERAL_LANGUAGES else None


def day(at: date | None) -> str:
    """A calendar date, of an instant in UTC: 21 November 2026. No line ends between the day and its month."""
    if isinstance(at, datetime):
        at = at.astimezone(UTC)
    return _written(at) if at else ""


def day_here(at: datetime) -> str:
    """The day of an instant in the reader's time zone."""
    return _written(at.astimezone(timezone.get_current_timezone()))


def moment(at: datetime, *, to_the_second: bool = False) -> str:
    """An instant in the reader's time zone, which it names: 1 November 2026, 02:30 UTC+1."""
    here = at.astimezone(timezone.get_current_timezone())
    clock = f"{here.hour:02}:{here.minute:02}" + (f":{here.second:02}" if to_the_second else "")
    return f"{_written(here)}, {clock} {zone_name(here.utcoffset())}"


def instant_in(text: str | None) -> datetime | None:
    """The instant (UTC) of an ISO time that came from outside; None where it names none."""
    try:
        at = datetime.fromisoformat(text or "")
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def machine_text(at: datetime) -> str:
    """An instant as the ``datetime`` of an element has it: 2026-11-01T02:30:00Z."""
    return f"{at.astimezone(UTC).isoformat(timespec='seconds').removesuffix('+00:00')}Z"


@cache
def zone_name(ahead: timedelta | None) -> str:
    """How a zone that is so far ahead of UTC is called: UTC, UTC+5:30, and with a minus sign west of it."""
    seconds = round((ahead or timedelta()).total_seconds())
    hours, rest = divmod(abs(seconds), 3600)
    minutes, left = divmod(rest, 60)
    parts = f":{minutes:02}" if rest else ""
    # A few zones were so before clocks were set by whole minutes.
    parts += f":{left:02}" if left else ""
    sign = "\N{MINUS SIGN}" if seconds < 0 else "+"
    return f"UTC{sign}{hours}{parts}" if seconds else "UTC"


def _written(at: date) -> str:
    return f"{at.day}\N{NO-BREAK SPACE}{month_names(page_language())[at.month]} {at.year}"


@cache
def month_names(_language: str | None) -> dict[int, str]:
    """The names of the months in the active language."""
    return {number: str(name) for number, name in MONTHS.items()}
