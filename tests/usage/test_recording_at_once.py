"""Roll-ups equal the rows after any interleaving of late, repeated and concurrent batches."""

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from orgs.acting import acting
from orgs.errors import RefusedForNow
from orgs.models import Membership, Organization
from orgs.policy import Denied, Permission, Role
from tests.factories import MembershipFactory, OrganizationFactory
from tests.races import at_once
from tests.tokens.factories import AccessTokenFactory
from tokens.models import AccessToken
from usage import services, settling
from usage.models import HourlyCount, OrganizationDay, OrganizationHour, Stack
from usage.readings import Batch, HourlyReading
from usage.services import Recorded, record_batch, record_counts

MIDNIGHT = datetime.combine(timezone.now().date() - timedelta(days=1), datetime.min.time(), UTC)
# Few stacks, and hours on both sides of midnight, so that batches meet.
readings = st.builds(
    HourlyReading,
    stack=st.sampled_from(["api", "data", "web"]),
    hour=st.sampled_from([MIDNIGHT + timedelta(hours=hours) for hours in (-2, -1, 0, 1)]),
    resources=st.integers(0, 4),
)
batches = st.lists(readings, min_size=1, max_size=8)
rounds = st.lists(st.lists(batches, min_size=1, max_size=3), min_size=1, max_size=3)


@pytest.fixture
def settled() -> Iterator[dict[uuid.UUID, datetime]]:
    """Until when organizations are settled, as a room above would say."""
    told: dict[uuid.UUID, datetime] = {}
    settling.tell_until_when_settled_with(told.get)
    yield told
    settling._tellers.remove(told.get)


def greatest(sent: list[HourlyReading]) -> dict[tuple[str, datetime], int]:
    found: dict[tuple[str, datetime], int] = {}
    for one in sent:
        key = one.stack, one.hour
        found[key] = max(one.resources, found.get(key, 0))
    return found


def assert_all_is_the_sum_of(sent: list[HourlyReading], organization: Organization) -> None:
    expected = greatest(sent)
    rows = HourlyCount.objects.filter(organization=organization)
    assert {(row.stack.name, row.hour): row.resources for row in rows.select_related("stack")} == expected
    hours: dict[datetime, int] = defaultdict(int)
    for (_stack, hour), resources in expected.items():
        hours[hour] += resources
    found = OrganizationHour.objects.filter(organization=organization)
    assert dict(found.values_list("hour", "resources")) == hours
    days: dict[object, tuple[int, int]] = {}
    for hour, resources in hours.items():
        total, counted = days.get(hour.date(), (0, 0))
        days[hour.date()] = total + resources, counted + 1
    kept = OrganizationDay.objects.filter(organization=organization)
    assert {day.day: (day.resource_hours, day.hours_counted) for day in kept} == days


@pytest.mark.parametrize("examples", [pytest.param(4), pytest.param(60, marks=pytest.mark.slow)])
@pytest.mark.django_db(transaction=True)
def test_any_interleaving_leaves_the_sums_of_the_greatest(
    settled: dict[uuid.UUID, datetime], examples: int
) -> None:
    @settings(max_examples=examples, deadline=None, database=None)
    @given(rounds=rounds, settled_after=st.integers(0, 3))
    def interleaved(rounds: list[list[list[HourlyReading]]], settled_after: int) -> None:
        ends_as_the_sums(rounds, settled_after, settled)

    interleaved()


def ends_as_the_sums(
    rounds: list[list[list[HourlyReading]]], settled_after: int, settled: dict[uuid.UUID, datetime]
) -> None:
    """``settled_after``: so many rounds, all hours before midnight are settled."""
    organization = OrganizationFactory()
    sent: list[HourlyReading] = []
    for number, at_the_same_time in enumerate(rounds):
        if number == settled_after:
            settled[organization.pk] = MIDNIGHT
        calls = [
            partial(record_counts, organization_id=organization.pk, counts=batch)
            for batch in at_the_same_time
        ]
        outcomes = at_once(*calls)
        assert [type(outcome) for outcome in outcomes] == [Recorded] * len(calls), outcomes
        sent += [reading for batch in at_the_same_time for reading in batch]
    assert_all_is_the_sum_of(sent, organization)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_many_new_stacks_at_once_are_all_counted() -> None:
    organization = OrganizationFactory()
    sent = [
        [HourlyReading(stack=f"stack {number}", hour=MIDNIGHT, resources=1) for number in range(20)]
        + [HourlyReading(stack=f"own {part}", hour=MIDNIGHT, resources=1)]
        for part in range(8)
    ]
    outcomes = at_once(
        *[partial(record_counts, organization_id=organization.pk, counts=batch) for batch in sent]
    )
    assert sum(outcome.taken for outcome in outcomes) == 28  # type: ignore[attr-defined]
    assert_all_is_the_sum_of([reading for batch in sent for reading in batch], organization)


def test_what_became_of_readings(organization: Organization, settled: dict[uuid.UUID, datetime]) -> None:
    def record(*counts: tuple[str, int, int]) -> Recorded:
        return record_counts(
            organization_id=organization.pk,
            counts=[
                HourlyReading(stack=stack, hour=MIDNIGHT + timedelta(hours=hour), resources=resources)
                for stack, hour, resources in counts
            ],
        )

    assert record(("web", -1, 5), ("web", -1, 3), ("data", 0, 0)) == Recorded(taken=2, late=0, unchanged=1)
    settled[organization.pk] = MIDNIGHT
    assert record(("web", -1, 5), ("web", 0, 1)) == Recorded(taken=1, late=0, unchanged=1)
    assert record(("web", -1, 9), ("web", 0, 2)) == Recorded(taken=2, late=1, unchanged=0)


@pytest.mark.django_db(transaction=True)
def test_recording_waits_for_nobody_who_has_the_organization(organization: Organization) -> None:
    """Neither does a verb wait for a batch that is being recorded."""
    admin = MembershipFactory(organization=organization, role=Role.ADMIN)
    with acting(admin, Permission.ORGANIZATION_CONFIGURE):
        assert at_once(partial(recorded, organization)) == [1]
    with transaction.atomic():
        recorded(organization, stack="data")
        assert at_once(partial(impatiently, partial(locked, admin))) == ["locked"]


def recorded(organization: Organization, stack: str = "web") -> int:
    reading = HourlyReading(stack=stack, hour=MIDNIGHT, resources=5)
    return impatiently(lambda: record_counts(organization_id=organization.pk, counts=[reading]).taken)


def locked(admin: Membership) -> str:
    with acting(admin, Permission.ORGANIZATION_CONFIGURE):
        return "locked"


def impatiently(act: Callable[[], object]) -> object:
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '3s'")
    return act()


@pytest.mark.django_db(transaction=True)
def test_a_program_waits_for_other_reports_but_not_for_long(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "LONGEST_WAIT", 0.05)
    batch = Batch.of([HourlyReading(stack="web", hour=MIDNIGHT, resources=5)])
    token = AccessTokenFactory(organization=organization, scopes=[Permission.USAGE_RECORD.value])
    report = partial(record_batch, organization_id=organization.pk, batch=batch, actor=token)
    with transaction.atomic():
        settling.hold_recording(organization.pk)
        (refused,) = at_once(report)
    assert isinstance(refused, RefusedForNow)
    assert "seconds" in refused.told_to_programs
    assert report() == Recorded(taken=1, late=0, unchanged=0)


def test_a_token_that_has_ended_or_may_no_more_records_nothing(organization: Organization) -> None:
    batch = Batch.of([HourlyReading(stack="web", hour=MIDNIGHT, resources=5)])
    token = AccessTokenFactory(organization=organization, scopes=[Permission.USAGE_RECORD.value])
    AccessToken.objects.update(scopes=[])
    with pytest.raises(Denied):
        record_batch(organization_id=organization.pk, batch=batch, actor=token)
    token.delete()
    with pytest.raises(AccessToken.DoesNotExist):
        record_batch(organization_id=organization.pk, batch=batch, actor=token)
    with pytest.raises(Organization.DoesNotExist):
        record_batch(organization_id=uuid.uuid4(), batch=batch)
    assert not Stack.objects.exists()
    assert not HourlyCount.objects.exists()
