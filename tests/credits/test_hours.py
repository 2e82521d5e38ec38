"""From the hours to the cent: what the page shows adds up, and is what the ledger says."""

from datetime import datetime

import pytest
from django.db import transaction
from django.db.models import Q, Sum
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from credits.figures import SpanCredits
from credits.hours import DayInSpan, HourInSpan, days_in, hours_in
from credits.models import Entry, GrantKind
from credits.selectors import period_credits
from credits.services.periods import follow_terms
from credits.services.settling import settle
from credits.spans import Span
from orgs.models import Organization
from tests.credits.months import DAY, DECEMBER, HOUR, NOVEMBER, NOW, OCTOBER, count, grant, terms
from tests.factories import OrganizationFactory

PERIODS = (OCTOBER, NOVEMBER)
# Hours of both months are counted, more or fewer, and settled before, between and after.
acts = st.lists(
    st.tuples(
        st.sampled_from(PERIODS),
        st.integers(0, 40),
        st.integers(0, 30),
        st.sampled_from([OCTOBER + 2 * DAY, NOVEMBER + 12 * HOUR, NOW]),
    ),
    min_size=1,
    max_size=12,
)


def begin(organization: Organization, since: datetime, until: datetime, amount: int) -> None:
    follow_terms(organization_id=organization.pk, terms=terms(since, until, credits=amount))


def bounds(span: SpanCredits) -> Span:
    return Span(span.since, span.until)


def all_hours(organization: Organization, span: SpanCredits) -> list[HourInSpan]:
    days = days_in(organization.pk, bounds(span))
    return [hour for day in days for hour in hours_in(organization.pk, bounds(span), day.day)]


def assert_adds_up(organization: Organization, at: datetime) -> None:
    """Hours make the days, days the span, spans the period, and all of it what was entered."""
    period = period_credits(organization.pk, at=at)
    assert period is not None
    for span in period.spans:
        days, hours = days_in(organization.pk, bounds(span)), all_hours(organization, span)
        shown = [(sum(d.credits for d in rows), sum(d.on_demand for d in rows)) for rows in (days, hours)]
        late = [sum(row.late for row in rows) for rows in (days, hours)]
        assert shown == [(span.credits, span.on_demand.credits)] * 2
        assert late == [span.late] * 2
        assert all(0 < day.hours <= 24 for day in days)
    entered = Entry.objects.for_org(organization).filter(
        booked_at__gte=period.since, booked_at__lt=period.until
    )
    sums = entered.aggregate(all=Sum("credits"), beyond=Sum("credits", filter=Q(grant=None)))
    assert (period.consumed, period.beyond) == (sums["all"] or 0, sums["beyond"] or 0)
    assert sum(span.burnt for span in period.spans) == period.burnt
    assert sum(day.credits for day in period.days) == period.consumed
    assert period.cost == sum(line.cost for line in period.on_demand)
    assert period.usable == period.burnt + period.left + period.lost


@settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(acts)
@pytest.mark.slow
@pytest.mark.usefixtures("db")
def test_what_the_page_shows_is_what_the_ledger_says(
    drawn: list[tuple[datetime, int, int, datetime]],
) -> None:
    with transaction.atomic():
        organization = OrganizationFactory()
        begin(organization, OCTOBER, NOVEMBER, 100)
        begin(organization, NOVEMBER, DECEMBER, 50)
        for month, place, resources, until in drawn:
            count(organization, {month + place * HOUR: resources})
            settle(organization_id=organization.pk, until=until)
        settle(organization_id=organization.pk, until=NOW)
        for month in PERIODS:
            assert_adds_up(organization, month)
        transaction.set_rollback(True)


def test_a_year_adds_up_month_by_month(organization: Organization) -> None:
    since = OCTOBER + 20 * DAY + 90 * HOUR / 60
    year = terms(since, since + 365 * DAY, credits=10, kind=GrantKind.PAID)
    follow_terms(organization_id=organization.pk, terms=year)
    count(organization, {since.replace(minute=0) + HOUR: 20, NOVEMBER: 10, NOVEMBER + 30 * HOUR: 7})
    settle(organization_id=organization.pk, until=NOW)
    assert_adds_up(organization, NOW)
    found = period_credits(organization.pk)
    assert found is not None
    # December has not begun.
    assert [(span.since, span.credits, span.is_closed) for span in found.spans] == [
        (since, 20, True),
        (NOVEMBER, 17, False),
    ]
    assert [line.since for line in found.still_open] == [NOVEMBER]


def test_a_day_tells_its_hours_and_what_of_them_is_on_demand(organization: Organization) -> None:
    begin(organization, NOVEMBER, DECEMBER, 10)
    grant(organization, 4, expires_at=NOVEMBER + 2 * DAY)
    count(organization, {NOVEMBER: 8, NOVEMBER + 5 * HOUR: 9, NOVEMBER + 6 * HOUR: 0, NOVEMBER + DAY: 3})
    settle(organization_id=organization.pk, until=NOW)
    november = Span(NOVEMBER, DECEMBER)
    first, second = days_in(organization.pk, november)
    assert (first, first.from_grants) == (DayInSpan(NOVEMBER.date(), 2, 17, 3, 0), 14)
    assert first.average * first.hours == first.credits
    assert second == DayInSpan((NOVEMBER + DAY).date(), 1, 3, 3, 0)
    assert hours_in(organization.pk, november, NOVEMBER.date()) == [
        HourInSpan(NOVEMBER, 8, 0, 0, 0),
        HourInSpan(NOVEMBER + 5 * HOUR, 9, 3, 0, 0),
    ]


def test_an_hour_that_is_counted_late_is_marked_where_it_counts_and_where_it_was(
    organization: Organization,
) -> None:
    begin(organization, OCTOBER, NOVEMBER, 10)
    count(organization, {OCTOBER: 5})
    settle(organization_id=organization.pk, until=NOVEMBER)
    begin(organization, NOVEMBER, DECEMBER, 10)
    for _again in range(2):
        settle(organization_id=organization.pk, until=NOW)
    count(organization, {OCTOBER: 7})
    settle(organization_id=organization.pk, until=NOW)
    october, november = Span(OCTOBER, NOVEMBER), Span(NOVEMBER, DECEMBER)
    assert hours_in(organization.pk, october, OCTOBER.date()) == [HourInSpan(OCTOBER, 5, 0, 0, 2)]
    assert days_in(organization.pk, november) == [DayInSpan(OCTOBER.date(), 1, 2, 0, 2)]
    assert hours_in(organization.pk, november, OCTOBER.date()) == [HourInSpan(OCTOBER, 2, 0, 2, 0)]


def test_other_organizations_hours_stay_out(organization: Organization) -> None:
    other = OrganizationFactory()
    for one, resources in ((organization, 3), (other, 500)):
        begin(one, NOVEMBER, DECEMBER, 10)
        count(one, {NOVEMBER: resources})
        settle(organization_id=one.pk, until=NOW)
    november = Span(NOVEMBER, DECEMBER)
    assert [day.credits for day in days_in(organization.pk, november)] == [3]
    assert [hour.credits for hour in hours_in(organization.pk, november, NOVEMBER.date())] == [3]
