"""The bars of a period's credits, and the table behind them."""

from datetime import datetime, timedelta

import pytest

from credits.charts import CreditsChart, credits_chart
from credits.models import GrantKind
from credits.selectors import period_credits
from credits.services.periods import follow_terms
from credits.services.settling import settle
from orgs.models import Organization
from tests.credits.months import DAY, DECEMBER, HOUR, NOVEMBER, NOW, count, terms


def chart_of(organization: Organization, since: datetime, until: datetime, **fields: object) -> CreditsChart:
    follow_terms(organization_id=organization.pk, terms=terms(since, until, **fields))
    settle(organization_id=organization.pk, until=NOW)
    period = period_credits(organization.pk)
    assert period is not None
    chart = credits_chart(period)
    assert chart is not None
    assert sum(int(row.credits.replace(",", "")) for row in chart.rows) == period.consumed
    return chart


def test_a_month_has_a_bar_for_each_day_up_to_the_last_settled_hour(organization: Organization) -> None:
    count(organization, {NOVEMBER: 600, NOVEMBER + DAY: 1_000, NOVEMBER + 3 * DAY: 1})
    chart = chart_of(organization, NOVEMBER, DECEMBER, credits=1_500)
    assert len(chart.bars.bars) == len(chart.rows) == 20
    first, second, third, fourth = chart.bars.bars[:4]
    assert first.title == "1\N{NO-BREAK SPACE}November 2026: 600 credits"
    assert second.title == "2\N{NO-BREAK SPACE}November 2026: 1,000 credits, 100 on demand"
    assert third.title == "3\N{NO-BREAK SPACE}November 2026: 0 credits"
    assert fourth.title == "4\N{NO-BREAK SPACE}November 2026: 1 credit, 1 on demand"
    assert (first.over, second.height, second.over) == ("", "100.00%", "10.00%")
    assert chart.rows[-2] == ("2\N{NO-BREAK SPACE}November 2026", "1,000", "100")


def test_a_year_has_a_bar_for_each_week(organization: Organization) -> None:
    since = NOW - 300 * DAY
    count(organization, {since + number * 50 * HOUR: 10 for number in range(100)})
    year = {"credits": 10, "kind": GrantKind.PAID}
    chart = chart_of(organization, since, since + 365 * DAY, **year)
    assert 43 <= len(chart.bars.bars) <= 45


@pytest.mark.parametrize("settled", [timedelta(0), HOUR])
def test_before_an_hour_is_settled_there_is_no_chart(organization: Organization, settled: timedelta) -> None:
    this_hour = NOW.replace(minute=0)
    follow_terms(organization_id=organization.pk, terms=terms(this_hour - settled, DECEMBER))
    settle(organization_id=organization.pk, until=NOW)
    period = period_credits(organization.pk)
    assert period is not None
    assert (credits_chart(period) is None) == (settled == timedelta(0))
