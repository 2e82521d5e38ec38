"""Calendar months in UTC: FOCUS calls them billing periods here. An invoice is of the month of its date."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from django.utils.translation import gettext as _

WRITTEN = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")
MOST = 120


class NoMonths(ValueError):
    """Says in one sentence what to choose instead."""


def month_of(at: datetime | date) -> date:
    """Its first day."""
    day = at.astimezone(UTC).date() if isinstance(at, datetime) else at
    return day.replace(day=1)


def month_after(first: date, months: int = 1) -> date:
    """``months``: below zero for earlier ones."""
    number = first.year * 12 + first.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


@dataclass(frozen=True)
class Months:
    """From ``first`` to ``last``, both included, each named by its first day."""

    first: date
    last: date

    def __iter__(self) -> Iterator[date]:
        month = self.first
        while month <= self.last:
            yield month
            month = month_after(month)

    def __contains__(self, month: date) -> bool:
        return self.first <= month <= self.last

    @property
    def since(self) -> datetime:
        return midnight(self.first)

    @property
    def until(self) -> datetime:
        return midnight(month_after(self.last))

    @property
    def query(self) -> str:
        """What asks for them."""
        return f"first={self.first:%Y-%m}&last={self.last:%Y-%m}"


def months_in(first: str, last: str, *, today: date) -> Months:
    """``first``, ``last``: as 2026-11; empty: the twelve months up to this one. Raises NoMonths."""
    if any(text and not WRITTEN.fullmatch(text) for text in (first, last)):
        raise NoMonths(_("Choose months like 2026-11."))
    end = date.fromisoformat(f"{last}-01") if last else month_of(today)
    begin = date.fromisoformat(f"{first}-01") if first else month_after(end, -11)
    if begin > end:
        raise NoMonths(_("Choose a first month that is not after the last one."))
    if month_after(begin, MOST) <= end:
        raise NoMonths(_("Choose at most %(months)s months.") % {"months": MOST})
    return Months(begin, end)
