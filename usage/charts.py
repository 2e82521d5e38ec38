"""Geometry of the charts that the server draws: all in percent, so that drawings stretch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from django.utils.dates import MONTHS
from django.utils.formats import date_format, number_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

INTERVALS = 4
ROUND_STEPS = (1, 2, 5, 10)
BAR_SHARE = 0.76
LABEL_EVERY = 5
WIDE = 100_000


@dataclass(frozen=True)
class Tick:
    """A mark of an axis. ``minor`` ones give way where room is scarce; the ``last`` ends with the chart."""

    at: str
    label: str
    minor: bool = False
    last: bool = False


@dataclass(frozen=True)
class Bar:
    x: str
    y: str
    width: str
    height: str
    title: str


@dataclass(frozen=True)
class BarChart:
    """A drawn chart. ``label``: what it shows, in words; ``wide``: its marks need more room."""

    label: str
    wide: bool
    y_ticks: list[Tick]
    x_ticks: list[Tick]
    bars: list[Bar]


def chart_of_days(days: Sequence[tuple[date, Decimal]]) -> BarChart:
    """Resources under management by day, one bar for each; ``days`` is not empty."""
    values = [value for _day, value in days]
    scale = round_scale(max(values))
    slot = 100 / len(days)
    return BarChart(
        label=_("Resources under management by day, %(first)s to %(last)s: from %(least)s to %(most)s")
        % {
            "first": date_format(days[0][0], "j F"),
            "last": date_format(days[-1][0], "j F"),
            "least": plain_number(min(values)),
            "most": plain_number(max(values)),
        },
        wide=scale[-1] >= WIDE,
        y_ticks=[
            Tick(percent(100 - 100 * value / scale[-1]), plain_number(Decimal(value))) for value in scale
        ],
        x_ticks=[
            Tick(
                percent(slot * index + slot / 2 if ago else 100),
                date_format(day, "j M"),
                minor=ago % (2 * LABEL_EVERY) != 0,
                last=not ago,
            )
            for index, (day, _value) in enumerate(days)
            if (ago := len(days) - 1 - index) % LABEL_EVERY == 0
        ],
        bars=_bars(days, slot, highest=scale[-1]),
    )


def _bars(days: Sequence[tuple[date, Decimal]], slot: float, *, highest: int) -> list[Bar]:
    gap, width = slot * (1 - BAR_SHARE) / 2, percent(slot * BAR_SHARE)
    months = {day.month: str(MONTHS[day.month]) for day, _value in days}
    heights = [100 * float(value) / highest for _day, value in days]
    return [
        Bar(
            x=percent(slot * index + gap),
            y=percent(100 - height),
            width=width,
            height=percent(height),
            title=_title(f"{day.day} {months[day.month]}", rounded(value)),
        )
        for index, ((day, value), height) in enumerate(zip(days, heights, strict=True))
    ]


def _title(day: str, resources: Decimal) -> str:
    title = ngettext("%(day)s: %(resources)s resource", "%(day)s: %(resources)s resources", int(resources))
    return title % {"day": day, "resources": plain_number(resources)}


def round_scale(most: Decimal) -> list[int]:
    """Marks from 0 in steps of 1, 2 or 5 times a power of ten, the last of them not below ``most``."""
    step = next(
        factor * 10**power
        for power in range(30)
        for factor in ROUND_STEPS
        if factor * 10**power * INTERVALS >= most
    )
    intervals = max(1, math.ceil(most / step))
    return [step * mark for mark in range(intervals + 1)]


def percent(value: float) -> SafeString:
    """A place or a length. Safe, since escaping takes most of the time of a chart."""
    return mark_safe(f"{value:.2f}%")  # noqa: S308 - a figure


def rounded(value: Decimal) -> Decimal:
    return value.to_integral_value(ROUND_HALF_UP)


def plain_number(value: Decimal) -> str:
    """A count as people read it: whole, with its thousands apart."""
    return _grouped(rounded(value), 0, get_language())


def number_with_decimal(value: Decimal) -> str:
    """An average as people read it: with one decimal, rounded half up."""
    return _grouped(value.quantize(Decimal("0.1"), ROUND_HALF_UP), 1, get_language())


@lru_cache(maxsize=4096)
def _grouped(value: Decimal, decimals: int, _language: str | None) -> str:
    return str(number_format(value, decimals, force_grouping=True))
