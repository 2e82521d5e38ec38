"""Calendar dates, as people read them."""

from datetime import date
from functools import cache

from django.conf import settings
from django.utils.dates import MONTHS
from django.utils.translation import get_language

SEVERAL_LANGUAGES = len(settings.LANGUAGES) > 1


def page_language() -> str | None:
    """The language that words are kept by; None while the site has one only, since asking takes long."""
    return get_language() if SEVERAL_LANGUAGES else None


def day(at: date | None) -> str:
    """A calendar date, of an instant in UTC: 21 November 2026. No line ends between the day and its month."""
    return f"{at.day}\N{NO-BREAK SPACE}{month_names(page_language())[at.month]} {at.year}" if at else ""


@cache
def month_names(_language: str | None) -> dict[int, str]:
    """The names of the months in the active language."""
    return {number: str(name) for number, name in MONTHS.items()}
