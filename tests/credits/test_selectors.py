"""The figures of a period, each with its parts."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from bench.statements import sent_statements
from credits.models import GrantKind
from credits.selectors import OnDemand, PeriodCredits, latest_credits, period_credits
from credits.services.periods import follow_terms, stop_counting
from credits.services.settling import settle
from orgs.models import Organization
from tests.credits.conftest import SetClock
from tests.credits.months import DAY, DECEMBER, HOUR, NOVEMBER, NOW, OCTOBER, count, grant, terms
from usage.models import OrganizationDay

PRICE = Decimal("0.0005")
MINUTE = timedelta(minutes=1)


def begin(organization: Organization, **fields: object) -> None:
    follow_terms(organization_id=organization.pk, terms=terms(**fields))  # type: ignore[arg-type]


def settled(organization: Organization) -> PeriodCredits:
    settle(organization_id=organization.pk, until=DECEMBER)
    found = period_credits(organization.pk)
    assert found is not None
    return found


def test_grants_come_in_their_order_with_what_was_burnt_and_is_left(organization: Organization) -> None:
    begin(organization, credits=10)
    grant(organization, 100, expires_at=DECEMBER + 100 * DAY)
    grant(organization, 7, expires_at=NOVEMBER + 2 * HOUR)
    count(organization, {NOVEMBER: 5, NOVEMBER + 3 * HOUR: 30})
    found = settled(organization)
    assert [(one.credits, one.burnt, one.left, one.expired) for one in found.grants] == [
        (7, 5, 0, 2),
        (10, 10, 0, 0),
        (100, 20, 80, 0),
    ]
    assert [one.is_free for one in found.grants] == [False, True, False]
    assert (found.consumed, found.left, found.beyond, found.cost) == (35, 80, 0, 0)
    assert found.settled_until == NOW.replace(minute=0)


def test_what_is_voided_is_neither_left_nor_expired(organization: Organization) -> None:
    begin(organization, credits=10)
    count(organization, {NOVEMBER: 4})
    settle(organization_id=organization.pk, until=NOW)
    begin(organization, since=NOW - DAY, until=NOW + DAY, credits=3)
    before = period_credits(organization.pk, at=NOVEMBER)
    assert before is not None
    assert [(one.burnt, one.voided, one.left, one.expired) for one in before.grants] == [(4, 6, 0, 0)]
    now = period_credits(organization.pk)
    assert now is not None
    assert [one.credits for one in now.grants] == [3]


def test_a_year_has_a_line_for_each_month_rounded_by_itself(
    organization: Organization, set_clock: SetClock
) -> None:
    since = OCTOBER + 20 * DAY
    until = since + 365 * DAY
    begin(organization, since=since, until=until, credits=10, kind=GrantKind.PAID, credit_price=PRICE)
    # 0.5 cents each month, and 1 cent in all if it were rounded once.
    count(organization, {since: 20, NOVEMBER: 10})
    found = settled(organization)
    assert found.on_demand == [
        OnDemand(since, NOVEMBER, 10, 0, PRICE),
        OnDemand(NOVEMBER, DECEMBER, 10, 0, PRICE),
    ]
    assert [line.cost for line in found.on_demand] == [1, 1]
    assert found.cost == 2


def test_late_hours_are_marked_on_their_line(organization: Organization) -> None:
    begin(organization, since=OCTOBER, until=NOVEMBER, credits=10)
    settle(organization_id=organization.pk, until=NOVEMBER)
    begin(organization, credits=10)
    for _again in range(2):
        settle(organization_id=organization.pk, until=NOW)
    count(organization, {OCTOBER: 15, NOVEMBER: 2})
    found = settled(organization)
    assert [(line.credits, line.late) for line in found.on_demand] == [(7, 5)]


def test_credits_last_at_the_rate_of_the_last_hour(organization: Organization) -> None:
    begin(organization, credits=100)
    count(organization, {NOW.replace(minute=0) - HOUR: 10})
    assert settled(organization).runs_out_at == NOW.replace(minute=0) + 9 * HOUR
    count(organization, {NOW.replace(minute=0) - HOUR: 0})
    assert settled(organization).runs_out_at is None


def test_a_period_gone_by_stands_as_it_ended(organization: Organization) -> None:
    begin(organization, since=OCTOBER, until=NOVEMBER, credits=10)
    count(organization, {OCTOBER: 4})
    settle(organization_id=organization.pk, until=NOW)
    found = period_credits(organization.pk, at=OCTOBER)
    assert found is not None
    assert (found.as_of, found.left, found.grants[0].expired) == (NOVEMBER, 0, 6)
    assert found.runs_out_at is None


@pytest.mark.parametrize("at", [OCTOBER - timedelta(seconds=1), NOVEMBER, DECEMBER])
def test_outside_of_all_periods_there_is_nothing(organization: Organization, at: object) -> None:
    begin(organization, since=OCTOBER, until=NOVEMBER)
    settle(organization_id=organization.pk, until=NOW)
    assert period_credits(organization.pk, at=at) is None  # type: ignore[arg-type]


def test_it_takes_one_statement_whatever_there_is(organization: Organization) -> None:
    numbers = []
    for more in range(2):
        begin(organization, credits=10)
        for number in range(1 + 4 * more):
            grant(organization, 1 + number)
        count(organization, {NOVEMBER + number * HOUR: 9 for number in range(1 + 40 * more)})
        settle(organization_id=organization.pk, until=NOW)
        with sent_statements() as sent:
            period_credits(organization.pk)
        numbers.append(len(sent))
    assert numbers == [1, 1]


def test_what_is_to_come_goes_on_as_now_and_is_on_demand_once_they_run_out(
    organization: Organization,
) -> None:
    """10 resources from the 20th, 12:00, to the end of November are 252 hours."""
    begin(organization, since=NOVEMBER + 10 * MINUTE, until=DECEMBER + 10 * MINUTE, credits=1_000)
    count(organization, {NOW.replace(minute=0) - HOUR: 10})
    days = [(NOW.date() - DAY, 24 * 8), (NOW.date(), 12 * 12)]
    OrganizationDay.objects.bulk_create(
        OrganizationDay(organization=organization, day=day, resource_hours=total, hours_counted=hours)
        for (day, total), hours in zip(days, (24, 12), strict=True)
    )
    found = settled(organization)
    assert found.projection is not None
    # The hour that begins at midnight on the 1st of December is still the period's.
    assert (found.projection.hours, found.projection.still_to_come) == (253, 2_530)
    assert (found.consumed, found.expected) == (10, 2_540)
    assert (found.least, found.most) == (10 + 253 * 8, 10 + 253 * 12)
    assert found.expected_beyond == 2_540 - 1_000
    assert found.expected_cost == 39
    assert found.lasts_until == NOW.replace(minute=0) + 99 * HOUR


def test_what_outlasts_the_period_costs_nothing_beyond(organization: Organization) -> None:
    begin(organization, credits=100_000)
    count(organization, {NOW.replace(minute=0) - HOUR: 10})
    found = settled(organization)
    assert (found.lasts_until, found.expected_beyond, found.expected_cost) == (None, 0, 0)


def test_nothing_is_expected_once_nothing_was_counted_for_a_day(organization: Organization) -> None:
    begin(organization, credits=100)
    count(organization, {NOW.replace(minute=0) - 25 * HOUR: 10})
    found = settled(organization)
    assert (found.projection, found.expected, found.lasts_until) == (None, None, None)


def test_a_period_is_compared_with_the_one_before_by_the_hour(organization: Organization) -> None:
    begin(organization, since=OCTOBER, until=NOVEMBER, credits=10)
    count(organization, {OCTOBER: 31 * 24 * 10})
    settle(organization_id=organization.pk, until=NOW)
    begin(organization, credits=10)
    for resources, words in (
        (7, "An hour uses 30% fewer than in the period before."),
        (10, "An hour uses as many as in the period before."),
        (12, "An hour uses 20% more than in the period before."),
    ):
        count(organization, {NOVEMBER: (NOW - NOVEMBER) // HOUR * resources})
        found = settled(organization)
        assert found.before == (OCTOBER, NOVEMBER, 7_440)
        assert found.compared == words
    october = period_credits(organization.pk, at=OCTOBER)
    assert october is not None
    assert (october.before, october.following, october.compared) == (None, NOVEMBER, "")


def test_the_latest_period_is_told_where_none_runs(organization: Organization) -> None:
    assert latest_credits(organization.pk) is None
    begin(organization, since=OCTOBER, until=NOVEMBER, credits=10)
    settle(organization_id=organization.pk, until=NOW)
    assert period_credits(organization.pk) is None
    assert since_of(latest_credits(organization.pk)) == OCTOBER
    begin(organization, credits=10)
    assert since_of(latest_credits(organization.pk)) == NOVEMBER
    stop_counting(organization_id=organization.pk, edition_code="team-pro")
    assert period_credits(organization.pk) is None
    assert since_of(latest_credits(organization.pk)) == NOVEMBER


def since_of(period: PeriodCredits | None) -> datetime | None:
    return period and period.since
