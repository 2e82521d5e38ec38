"""The credits of a period as bars, and as the table behind them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from credits.figures import DayCredits, PeriodCredits
from usage.charts import BarChart, Point, Wording, bar_chart, plain_number
from usage.dashboard import WORDINGS
from usage.periods import DAY, beginning, period_of
from usage.spans import Span, fitting_span


class BarRow(NamedTuple):
    """A row of the table behind the chart, its figures as people read them."""

    name: str
    credits: str
    on_demand: str


@dataclass(frozen=True)
class CreditsChart:
    """``rows``: the latest first."""

    bars: BarChart
    rows: list[BarRow]


def credits_chart(period: PeriodCredits) -> CreditsChart | None:
    """From the period's beginning up to the last settled hour; None before there is one."""
    settled = min(period.settled_until, period.until)
    if settled <= period.since:
        return None
    span = fitting_span(period.since.date(), (settled - timedelta.resolution).date())
    wording = WORDINGS[span.granularity]
    shown = list(_bars(period.days, span))
    bars = bar_chart(
        # Below zero where more was taken back than used.
        [Point(one.start, Decimal(max(one.credits, 0))) for one in shown],
        wording,
        label=_("Credits used, %(first)s to %(last)s: from %(least)s to %(most)s"),
        titles=[_title(wording, one) for one in shown],
        over=[max(0, min(one.on_demand, one.credits)) for one in shown],
    )
    return CreditsChart(bars, [_row(wording, one) for one in reversed(shown)])


def _bars(days: Sequence[DayCredits], span: Span) -> Iterator[DayCredits]:
    """Each day, week or month of the span, also where nothing was used."""
    used = {day.start.date(): day for day in days}
    every = (span.first + DAY * number for number in range(span.days))
    for first, within in groupby(every, key=lambda day: period_of(day, span.granularity)):
        rows = [used[day] for day in within if day in used]
        yield DayCredits(
            beginning(first), sum(row.credits for row in rows), sum(row.on_demand for row in rows)
        )


def _title(wording: Wording, one: DayCredits) -> str:
    title = ngettext("%(period)s: %(credits)s credit", "%(period)s: %(credits)s credits", one.credits)
    if one.on_demand:
        title = ngettext(
            "%(period)s: %(credits)s credit, %(beyond)s on demand",
            "%(period)s: %(credits)s credits, %(beyond)s on demand",
            one.credits,
        )
    return title % {
        "period": wording.name(one.start),
        "credits": plain_number(Decimal(one.credits)),
        "beyond": plain_number(Decimal(one.on_demand)),
    }


def _row(wording: Wording, one: DayCredits) -> BarRow:
    figures = (one.credits, one.on_demand)
    return BarRow(wording.name(one.start), *(plain_number(Decimal(figure)) for figure in figures))
