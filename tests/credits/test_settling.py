"""What the ledger says is what the counted hours and the grants come to, however they got there."""

from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Sum

from bench.statements import sent_statements
from credits.models import Entry, Grant, Ledger, Period, Voiding
from credits.selectors import period_credits
from credits.services.periods import follow_terms
from credits.services.settling import settle
from orgs.models import Organization
from tests.credits.conftest import SetClock
from tests.credits.months import (
    DAY,
    DECEMBER,
    HOUR,
    NOVEMBER,
    NOW,
    OCTOBER,
    burnt_of,
    count,
    grant,
    net,
    terms,
)
from tests.factories import OrganizationFactory
from usage.readings import HourlyReading
from usage.services import record_counts

PERIOD = f"period:{NOVEMBER.isoformat()}"


def begin(organization: Organization, **fields: object) -> Period | None:
    return follow_terms(organization_id=organization.pk, terms=terms(**fields))  # type: ignore[arg-type]


def test_625_resources_for_720_hours_cost_75_dollars(organization: Organization, set_clock: SetClock) -> None:
    set_clock(DECEMBER + HOUR)
    begin(organization)
    count(organization, {NOVEMBER + number * HOUR: 625 for number in range(720)})
    settle(organization_id=organization.pk, until=DECEMBER)

    found = period_credits(organization.pk, at=NOVEMBER)
    assert found is not None
    assert (found.consumed, found.burnt, found.beyond) == (450_000, 150_000, 300_000)
    assert found.cost == 75_00


def test_an_hour_that_runs_and_one_of_no_period_are_not_burnt(organization: Organization) -> None:
    begin(organization, since=NOW - 2 * HOUR)
    this_hour = NOW.replace(minute=0)
    count(organization, {this_hour - ago * HOUR: 7 for ago in range(5)})
    settle(organization_id=organization.pk, until=NOW + DAY)

    # The period began at 10:30, within an hour that belongs to what was before.
    assert list(net(organization).values()) == [7]
    assert Ledger.objects.get().settled_until == this_hour


def test_settling_again_adds_nothing(organization: Organization) -> None:
    begin(organization)
    count(organization, {NOVEMBER: 100_000, NOVEMBER + HOUR: 100_000})
    for _again in range(3):
        settle(organization_id=organization.pk, until=NOW)
    assert [entry.credits for entry in Entry.objects.order_by("number")] == [100_000, 50_000, 50_000]
    assert [entry.left for entry in Entry.objects.order_by("number")] == [50_000, 0, None]


def test_settling_up_to_an_earlier_hour_takes_nothing_back(organization: Organization) -> None:
    begin(organization)
    count(organization, {NOVEMBER: 5, NOVEMBER + HOUR: 6})
    for until in (NOVEMBER + 2 * HOUR, NOVEMBER + HOUR):
        settle(organization_id=organization.pk, until=until)
    assert burnt_of(organization) == {PERIOD: 11}
    assert Ledger.objects.get().settled_until == NOVEMBER + 2 * HOUR


def test_a_late_hour_takes_its_turn_and_what_changes_is_entered_against(organization: Organization) -> None:
    begin(organization, credits=10)
    count(organization, {NOVEMBER + HOUR: 10})
    settle(organization_id=organization.pk, until=NOVEMBER + 2 * HOUR)
    count(organization, {NOVEMBER: 4})
    settle(organization_id=organization.pk, until=NOVEMBER + 2 * HOUR)

    assert net(organization) == {
        (NOVEMBER, NOVEMBER, PERIOD): 4,
        (NOVEMBER + HOUR, NOVEMBER + HOUR, PERIOD): 6,
        (NOVEMBER + HOUR, NOVEMBER + HOUR, None): 4,
    }
    entries = Entry.objects.order_by("number").values_list("number", "credits", "left")
    assert list(entries) == [(1, 10, 0), (2, -4, 4), (3, 4, 0), (4, 4, None)]


def test_a_grant_that_comes_after_its_first_hours_burns_them(organization: Organization) -> None:
    begin(organization, credits=0)
    count(organization, {NOVEMBER: 10})
    settle(organization_id=organization.pk, until=NOW)
    assert burnt_of(organization) == {None: 10}

    grant(organization, 8, source="late")
    settle(organization_id=organization.pk, until=NOW)
    assert burnt_of(organization) == {"late": 8, None: 2}


def test_an_hour_counted_after_its_period_was_closed_counts_in_the_next(
    organization: Organization, set_clock: SetClock
) -> None:
    begin(organization, since=OCTOBER, until=NOVEMBER, credits=100)
    count(organization, {NOVEMBER - HOUR: 5})
    settle(organization_id=organization.pk, until=NOVEMBER)
    begin(organization, since=NOVEMBER, until=DECEMBER, credits=100)
    # For a day it still reaches its own.
    settle(organization_id=organization.pk, until=NOVEMBER + DAY - HOUR)
    count(organization, {NOVEMBER - 2 * HOUR: 3})
    settle(organization_id=organization.pk, until=NOVEMBER + DAY)
    assert (NOVEMBER - 2 * HOUR, NOVEMBER - 2 * HOUR, f"period:{OCTOBER.isoformat()}") in net(organization)

    settle(organization_id=organization.pk, until=NOVEMBER + DAY + HOUR)
    count(organization, {NOVEMBER - 3 * HOUR: 20, NOVEMBER - HOUR: 6})
    settle(organization_id=organization.pk, until=NOVEMBER + DAY + HOUR)
    late = [entry for entry in Entry.objects.order_by("hour") if entry.is_late]
    assert [(entry.booked_at, entry.hour, entry.credits) for entry in late] == [
        (NOVEMBER, NOVEMBER - 3 * HOUR, 20),
        (NOVEMBER, NOVEMBER - HOUR, 1),
    ]
    assert burnt_of(organization) == {f"period:{OCTOBER.isoformat()}": 8, PERIOD: 21}


def test_usage_tells_of_the_hours_that_are_booked_late(organization: Organization) -> None:
    begin(organization, since=OCTOBER, until=NOVEMBER, credits=100)
    begin(organization, credits=100)

    def report(hour: datetime, resources: int) -> int:
        reading = HourlyReading(stack="web", hour=hour, resources=resources)
        recorded = record_counts(organization_id=organization.pk, counts=[reading])
        settle(organization_id=organization.pk, until=NOVEMBER + 2 * DAY)
        return recorded.late

    # The first is in time, since nothing was settled before, and closes October.
    assert [report(OCTOBER, 3), report(OCTOBER, 5), report(NOVEMBER - HOUR, 2), report(NOVEMBER, 7)] == [
        0,
        1,
        1,
        0,
    ]
    booked = Entry.objects.filter(booked_at__gt=F("hour")).values_list("hour", "credits")
    assert set(booked) == {(OCTOBER, 2), (NOVEMBER - HOUR, 2)}


def test_a_closed_hour_counted_down_is_taken_back_as_far_as_something_is_consumed(
    organization: Organization,
) -> None:
    begin(organization, since=OCTOBER, until=NOVEMBER, credits=100)
    count(organization, {OCTOBER: 50})
    settle(organization_id=organization.pk, until=NOVEMBER)
    begin(organization, since=NOVEMBER, until=DECEMBER, credits=5)
    for _again in range(2):
        settle(organization_id=organization.pk, until=NOVEMBER + 3 * DAY)

    count(organization, {OCTOBER: 30, NOVEMBER + HOUR: 8})
    settle(organization_id=organization.pk, until=NOVEMBER + 3 * DAY)
    assert burnt_of(organization) == {f"period:{OCTOBER.isoformat()}": 50, None: 0}
    count(organization, {NOVEMBER + 2 * HOUR: 20})
    settle(organization_id=organization.pk, until=NOVEMBER + 3 * DAY)
    # All 20 are taken back now; of the 8 that are left the grant burns what it has.
    assert burnt_of(organization) == {f"period:{OCTOBER.isoformat()}": 50, PERIOD: 5, None: 3}


def test_an_outage_of_ours_closes_no_period_before_it_was_settled(organization: Organization) -> None:
    begin(organization, since=OCTOBER, until=NOVEMBER, credits=100)
    settle(organization_id=organization.pk, until=OCTOBER + DAY)
    count(organization, {NOVEMBER - HOUR: 5})
    begin(organization, since=NOVEMBER, until=DECEMBER, credits=100)
    settle(organization_id=organization.pk, until=NOW)
    assert burnt_of(organization) == {f"period:{OCTOBER.isoformat()}": 5}


def test_hours_wait_for_their_period(organization: Organization) -> None:
    begin(organization, since=OCTOBER, until=NOVEMBER, credits=100)
    count(organization, {NOVEMBER: 5})
    settle(organization_id=organization.pk, until=NOW)
    assert not net(organization)
    assert Ledger.objects.get().settled_until == NOVEMBER

    begin(organization, since=NOVEMBER, until=DECEMBER, credits=100)
    settle(organization_id=organization.pk, until=NOW)
    assert burnt_of(organization) == {PERIOD: 5}


def test_other_organizations_hours_and_grants_stay_out(organization: Organization) -> None:
    other = OrganizationFactory()
    begin(organization, credits=10)
    begin(other, credits=1000)
    count(other, {NOVEMBER: 500})
    count(organization, {NOVEMBER: 15})
    for one in (other, organization):
        settle(organization_id=one.pk, until=NOW)
    assert burnt_of(organization) == {PERIOD: 10, None: 5}
    assert burnt_of(other) == {PERIOD: 500}


def test_the_number_of_statements_is_the_same_for_an_hour_and_for_a_month(organization: Organization) -> None:
    begin(organization)
    numbers = []
    for hours in (1, 400):
        count(organization, {NOVEMBER + number * HOUR: 5 for number in range(hours)})
        with sent_statements() as statements:
            settle(organization_id=organization.pk, until=NOVEMBER + hours * HOUR)
        numbers.append(len(statements))
    assert numbers[0] == numbers[1] == 9


@pytest.mark.parametrize("model", [Entry, Grant, Period, Voiding])
def test_nothing_of_a_ledger_can_be_changed_or_deleted(organization: Organization, model: type) -> None:
    begin(organization, since=OCTOBER)
    begin(organization, since=NOVEMBER)
    count(organization, {NOVEMBER: 5})
    settle(organization_id=organization.pk, until=NOW)
    rows = model._default_manager.all()  # type: ignore[attr-defined]
    assert rows.exists()
    with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
        rows.update(organization_id=organization.pk)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {model._meta.db_table}")  # type: ignore[attr-defined]


def test_an_entry_is_about_a_grant_of_its_own_organization(organization: Organization) -> None:
    foreign = grant(OrganizationFactory(), 10)
    with pytest.raises(DatabaseError, match="own organization"), transaction.atomic():
        Entry.objects.create(
            organization=organization, number=1, grant=foreign, hour=NOW, booked_at=NOW, credits=1, left=9
        )


def test_no_grant_can_be_overdrawn(organization: Organization) -> None:
    own = grant(organization, 10)
    with pytest.raises(DatabaseError, match="entry_within_grant"), transaction.atomic():
        Entry.objects.create(
            organization=organization, number=1, grant=own, hour=NOW, booked_at=NOW, credits=11, left=-1
        )


def test_every_hour_adds_up_to_what_was_counted(organization: Organization) -> None:
    begin(organization, credits=50)
    hours = {NOVEMBER + number * HOUR: number for number in range(1, 30)}
    count(organization, hours)
    settle(organization_id=organization.pk, until=NOVEMBER + timedelta(days=2))
    sums = Entry.objects.for_org(organization).values_list("hour").annotate(total=Sum("credits"))
    assert dict(sums) == hours
