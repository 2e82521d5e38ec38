"""Geometry of the charts that the server draws: all in percent, so that drawings stretch."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import NamedTuple

from django.utils.formats import number_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

INTERVALS = 4
ROUND_STEPS = (1, 2, 5, 10)
BAR_SHARE = 0.76
LABELS = 6
WIDE = 100_000


class Point(NamedTuple):
    """What was counted of the period that began at ``start``; None: nothing."""

    start: datetime
    value: Decimal | None


@dataclass(frozen=True)
class Wording:
    """How a chart's periods are called: in full, and on its axis."""

    name: Callable[[datetime], str]
    mark: Callable[[datetime], str]


@dataclass(frozen=True)
class Tick:
    """A mark of an axis. ``minor`` ones give way where room is scarce; the ``last`` ends with the chart."""

    at: str
    label: str
    minor: bool = False
    last: bool = False


class Bar(NamedTuple):
    """``slot``: where the bar's part of the chart begins. ``tab``: the last one is reached by the Tab key.

    ``over``: the height of its upper part, where that is told apart; else empty.
    """

    slot: str
    slot_width: str
    x: str
    y: str
    width: str
    height: str
    over: str
    title: str
    tab: str


@dataclass(frozen=True)
class BarChart:
    """A drawn chart. ``label``: what it shows, in words; ``wide``: its marks need more room.

    ``mark``: a value that the bars are compared with, as a line across.
    """

    label: str
    wide: bool
    y_ticks: list[Tick]
    x_ticks: list[Tick]
    bars: list[Bar]
    mark: Tick | None = None


def resources_chart(points: Sequence[Point], wording: Wording) -> BarChart:
    """Resources under management, one bar for each period; ``points`` is not empty."""
    label = _("Resources under management, %(first)s to %(last)s: from %(least)s to %(most)s")
    titles = [_title(wording.name(point.start), point.value) for point in points]
    return bar_chart(points, wording, label=label, titles=titles)


def bar_chart(
    points: Sequence[Point],
    wording: Wording,
    *,
    label: str,
    titles: Sequence[str],
    over: Sequence[int] | None = None,
    mark: tuple[int, str] | None = None,
) -> BarChart:
    """One bar for each period; ``points`` is not empty. ``titles``: what each bar says.

    ``label``: what it shows, with places for the ``first`` and ``last`` period, ``least`` and ``most``.
    ``over``: how much of each bar is told apart, as its upper part. ``mark``: a value to compare them with,
    and what it is.
    """
    values = [point.value or Decimal(0) for point in points]
    marked, mark_label = mark or (0, "")
    scale = round_scale(max(*values, Decimal(marked)))
    slot = 100 / len(points)
    every = math.ceil(len(points) / LABELS)
    return BarChart(
        label=label
        % {
            "first": wording.name(points[0].start),
            "last": wording.name(points[-1].start),
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
                wording.mark(point.start),
                minor=ago % (2 * every) != 0,
                last=not ago,
            )
            for index, point in enumerate(points)
            if (ago := len(points) - 1 - index) % every == 0
        ],
        bars=_bars(points, slot, scale[-1], titles, over or [0] * len(points)),
        mark=Tick(percent(100 - 100 * marked / scale[-1]), mark_label) if mark else None,
    )


def _bars(
    points: Sequence[Point], slot: float, highest: int, titles: Sequence[str], over: Sequence[int]
) -> list[Bar]:
    gap, slot_width, width = slot * (1 - BAR_SHARE) / 2, percent(slot), percent(slot * BAR_SHARE)
    heights = [100 * float(point.value or 0) / highest for point in points]
    return [
        Bar(
            slot=percent(slot * index),
            slot_width=slot_width,
            x=percent(slot * index + gap),
            y=percent(100 - height),
            width=width,
            height=percent(height),
            over=percent(100 * upper / highest) if upper else "",
            title=title,
            tab="-1" if index < len(points) - 1 else "0",
        )
        for index, (title, height, upper) in enumerate(zip(titles, heights, over, strict=True))
    ]


def _title(name: str, resources: Decimal | None) -> str:
    if resources is None:
        return _("%(period)s: not counted") % {"period": name}
    title = ngettext(
        "%(period)s: %(resources)s resource", "%(period)s: %(resources)s resources", int(rounded(resources))
    )
    return title % {"period": name, "resources": plain_number(resources)}


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
