"""What is on demand in a span becomes its charge when the span closes, once, and stays as it is."""

from datetime import datetime

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from credits.models import Entry, Ledger, OnDemandCharge
from credits.services.periods import follow_terms
from credits.services.settling import settle
from orgs.models import Organization
from tests.credits.conftest import SetClock
from tests.credits.months import DAY, DECEMBER, HOUR, NOVEMBER, OCTOBER, count, terms
from tests.factories import OrganizationFactory

# A closed month has hours of 100,000 to burn 150,000 free ones.
TWO_HOURS = {OCTOBER: 100_000, OCTOBER + HOUR: 100_000}


def begin(organization: Organization, **fields: object) -> None:
    follow_terms(organization_id=organization.pk, terms=terms(**fields))  # type: ignore[arg-type]


def settled(organization: Organization) -> list[tuple[datetime, datetime, int, int]]:
    settle(organization_id=organization.pk, until=timezone.now())
    charges = OnDemandCharge.objects.for_org(organization).order_by("since")
    return [(one.since, one.until, one.credits, one.amount) for one in charges]


def test_a_span_is_charged_a_day_after_its_end_and_not_before(
    organization: Organization, set_clock: SetClock
) -> None:
    begin(organization, since=OCTOBER, until=NOVEMBER)
    begin(organization)
    count(organization, TWO_HOURS)
    set_clock(NOVEMBER + DAY - HOUR)
    assert settled(organization) == []
    set_clock(NOVEMBER + DAY)
    for _again in range(2):
        assert settled(organization) == [(OCTOBER, NOVEMBER, 50_000, 12_50)]


def test_the_last_span_is_charged_though_none_follows(
    organization: Organization, set_clock: SetClock
) -> None:
    begin(organization, since=OCTOBER, until=NOVEMBER)
    count(organization, TWO_HOURS)
    set_clock(NOVEMBER + DAY - HOUR)
    assert settled(organization) == []
    set_clock(NOVEMBER + DAY)
    assert settled(organization) == [(OCTOBER, NOVEMBER, 50_000, 12_50)]
    assert Ledger.objects.get().closed_until == NOVEMBER


def test_hours_of_a_charged_last_span_wait_for_the_next_one(
    organization: Organization, set_clock: SetClock
) -> None:
    begin(organization, since=OCTOBER, until=NOVEMBER)
    count(organization, TWO_HOURS)
    settled(organization)
    count(organization, {OCTOBER + 2 * HOUR: 7})
    assert settled(organization) == [(OCTOBER, NOVEMBER, 50_000, 12_50)]
    begin(organization, since=NOVEMBER + 10 * DAY, credits=3)
    settled(organization)
    late = Entry.objects.for_org(organization).filter(hour=OCTOBER + 2 * HOUR)
    assert [(one.booked_at, one.credits) for one in late.order_by("number")] == [
        (NOVEMBER + 10 * DAY, 3),
        (NOVEMBER + 10 * DAY, 4),
    ]
    set_clock(DECEMBER + DAY)
    assert settled(organization)[1:] == [(NOVEMBER + 10 * DAY, DECEMBER, 4, 0)]


def test_a_change_within_the_period_charges_what_was_before_at_the_price_of_then(
    organization: Organization, set_clock: SetClock
) -> None:
    begin(organization, credits=10)
    count(organization, {NOVEMBER: 100_000})
    change = NOVEMBER + 5 * DAY
    begin(organization, since=change, until=change + 30 * DAY, credits=0, edition_code="enterprise")
    count(organization, {change + HOUR: 4_000})
    assert settled(organization) == [(NOVEMBER, change, 99_990, 25_00)]
    set_clock(change + 31 * DAY)
    assert settled(organization)[1:] == [(change, change + 30 * DAY, 4_000, 1_00)]


def test_each_month_of_a_year_is_charged_by_itself(organization: Organization) -> None:
    begin(organization, since=OCTOBER, until=OCTOBER + 365 * DAY, credits=1)
    count(organization, {OCTOBER: 4_001, NOVEMBER: 8_000})
    assert settled(organization) == [(OCTOBER, NOVEMBER, 4_000, 1_00)]


def test_too_few_for_a_cent_are_charged_with_nothing(organization: Organization) -> None:
    begin(organization, since=OCTOBER, until=NOVEMBER, credits=1)
    count(organization, {OCTOBER: 20})
    assert settled(organization) == [(OCTOBER, NOVEMBER, 19, 0)]


def test_nothing_on_demand_is_no_charge(organization: Organization) -> None:
    begin(organization, since=OCTOBER, until=NOVEMBER)
    count(organization, {OCTOBER: 20})
    assert settled(organization) == []


# A day of October, how many resources then, and after how many days that is counted and settled.
counted_then = st.tuples(st.integers(0, 30), st.integers(0, 60), st.integers(0, 20))


@pytest.mark.slow
@settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(counted_then, max_size=10))
@pytest.mark.usefixtures("db")
def test_charges_add_up_to_what_is_closed_however_late_it_is_counted(
    set_clock: SetClock, drawn: list[tuple[int, int, int]]
) -> None:
    with transaction.atomic():
        organization = OrganizationFactory()
        begin(organization, since=OCTOBER, until=OCTOBER + 12 * DAY, credits=40)
        begin(organization, since=OCTOBER + 12 * DAY, until=NOVEMBER, credits=5)
        now = OCTOBER
        for place, resources, days in drawn:
            now += days * DAY
            count(organization, {OCTOBER + place * DAY: resources})
            set_clock(now)
            before = settled(organization)
            assert settled(organization)[: len(before)] == before
            assert_closed_is_charged(organization)
        transaction.set_rollback(True)


def assert_closed_is_charged(organization: Organization) -> None:
    closed_until = Ledger.objects.get(organization=organization).closed_until
    entries = Entry.objects.for_org(organization).filter(grant=None, booked_at__lt=closed_until)
    charges = OnDemandCharge.objects.for_org(organization)
    assert sum(one.credits for one in charges) == sum(one.credits for one in entries)
    assert all(one.until <= closed_until for one in charges if closed_until)


def test_a_charge_never_changes(organization: Organization) -> None:
    begin(organization, since=OCTOBER, until=NOVEMBER, credits=1)
    count(organization, {OCTOBER: 5000})
    settled(organization)
    with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
        OnDemandCharge.objects.update(amount=1)
    count(organization, {OCTOBER: 9000})
    assert settled(organization) == [(OCTOBER, NOVEMBER, 4_999, 1_25)]
