"""Geometry of the charts."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage.charts import Point, resources_chart, round_scale
from usage.dashboard import WORDINGS
from usage.periods import Granularity

BY_DAY = WORDINGS[Granularity.DAILY]


@pytest.mark.parametrize(
    ("most", "marks"),
    [
        ("0", [0, 1]),
        ("1", [0, 1]),
        ("3.5", [0, 1, 2, 3, 4]),
        ("5", [0, 2, 4, 6]),
        ("381", [0, 100, 200, 300, 400]),
        ("563", [0, 200, 400, 600]),
        ("12345", [0, 5000, 10000, 15000]),
    ],
)
def test_the_axis_has_round_marks(most: str, marks: list[int]) -> None:
    assert round_scale(Decimal(most)) == marks


@given(st.decimals(min_value=0, max_value=10**12, places=3))
def test_the_axis_reaches_the_highest_bar_and_not_twice_as_far_up(most: Decimal) -> None:
    marks = round_scale(most)
    assert 2 <= len(marks) <= 5
    assert marks[-1] >= most
    assert marks[-2] < max(most, Decimal(1))


def test_bars_stand_on_the_axis_and_keep_within_the_drawing() -> None:
    first = datetime(2026, 10, 20, tzinfo=UTC)
    chart = resources_chart([Point(first + timedelta(days=n), Decimal(n * 10)) for n in range(30)], BY_DAY)
    assert len(chart.bars) == 30
    for bar in chart.bars:
        assert percent(bar.y) + percent(bar.height) == 100
        assert percent(bar.slot) <= percent(bar.x) <= 100 - percent(bar.width)
    assert [tick.label for tick in chart.x_ticks if not tick.minor] == ["29 Oct", "8 Nov", "18 Nov"]
    assert len(chart.x_ticks) == 6
    assert chart.bars[29].height == "96.67%"
    assert chart.bars[1].title == "21\xa0October 2026: 10 resources"
    assert chart.label == (
        "Resources under management, 20\xa0October 2026 to 18\xa0November 2026: from 0 to 290"
    )


def test_the_tab_key_reaches_the_last_bar_alone() -> None:
    first = datetime(2026, 10, 20, tzinfo=UTC)
    chart = resources_chart([Point(first + timedelta(days=n), Decimal(1)) for n in range(3)], BY_DAY)
    assert [bar.tab for bar in chart.bars] == ["-1", "-1", "0"]


def test_none_and_nothing_counted_are_drawn_flat_and_told_apart() -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    chart = resources_chart([Point(first, Decimal(0)), Point(first + timedelta(days=1), None)], BY_DAY)
    assert [bar.height for bar in chart.bars] == ["0.00%", "0.00%"]
    assert [bar.title for bar in chart.bars] == [
        "1\xa0January 2026: 0 resources",
        "2\xa0January 2026: not counted",
    ]


def percent(text: str) -> Decimal:
    return Decimal(text.removesuffix("%"))
