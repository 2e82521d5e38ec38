"""What recording of hourly counts promises: idempotent, greatest wins, roll-ups always the sums."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orgs.errors import Refused
from orgs.models import Organization
from tests.factories import OrganizationFactory
from tests.races import at_once
from usage.models import HourlyCount, OrganizationDay, OrganizationHour, Stack
from usage.partitions import ensure_partitions
from usage.readings import HourlyReading
from usage.selectors import usage_of_days
from usage.services import record_counts
from usage.sums import counted_days


def this_hour() -> datetime:
    return timezone.now().replace(minute=0, second=0, microsecond=0)


def yesterday(hour: int = 0) -> datetime:
    return this_hour().replace(hour=hour) - timedelta(days=1)


def reading(stack: str = "web", hour: datetime | None = None, resources: int = 5) -> HourlyReading:
    return HourlyReading(stack=stack, hour=hour or yesterday(), resources=resources)


def test_sums_over_stacks_make_the_hour_and_the_day(organization: Organization) -> None:
    record_counts(
        organization_id=organization.pk,
        counts=[
            reading("web", yesterday(3), 5),
            reading("data", yesterday(3), 7),
            reading("web", yesterday(4), 6),
        ],
    )

    hours = OrganizationHour.objects.order_by("hour").values_list("hour", "resources")
    assert list(hours) == [(yesterday(3), 12), (yesterday(4), 6)]
    day = OrganizationDay.objects.get()
    assert (day.day, day.resource_hours, day.hours_counted) == (yesterday().date(), 18, 2)


def test_the_same_readings_again_change_nothing(organization: Organization) -> None:
    counts = [reading("web", yesterday(hour), 5 + hour) for hour in range(24)]
    record_counts(organization_id=organization.pk, counts=counts)
    record_counts(organization_id=organization.pk, counts=counts)

    assert HourlyCount.objects.count() == 24
    assert OrganizationDay.objects.get().resource_hours == sum(5 + hour for hour in range(24))


@pytest.mark.parametrize("order", [(5, 9, 7), (9, 5, 7), (7, 5, 9)])
def test_the_greatest_count_of_an_hour_stays(organization: Organization, order: tuple[int, ...]) -> None:
    for resources in order:
        record_counts(organization_id=organization.pk, counts=[reading(resources=resources)])

    assert HourlyCount.objects.get().resources == 9
    assert OrganizationHour.objects.get().resources == 9


def test_the_greatest_count_stays_within_one_batch(organization: Organization) -> None:
    record_counts(organization_id=organization.pk, counts=[reading(resources=n) for n in (5, 9, 7)])
    assert usage_of_days(organization.pk, yesterday().date(), this_hour().date())[0] == 9


def test_a_late_reading_reaches_its_day(organization: Organization) -> None:
    record_counts(organization_id=organization.pk, counts=[reading("web", this_hour(), 5)])
    record_counts(organization_id=organization.pk, counts=[reading("web", yesterday(), 8)])

    assert usage_of_days(organization.pk, yesterday().date(), this_hour().date()) == (8, (5, this_hour()))


def test_organizations_have_stacks_of_the_same_name_apart(organization: Organization) -> None:
    other = OrganizationFactory()
    record_counts(organization_id=organization.pk, counts=[reading(resources=5)])
    record_counts(organization_id=other.pk, counts=[reading(resources=7)])

    assert Stack.objects.filter(name="web").count() == 2
    assert usage_of_days(organization.pk, yesterday().date(), this_hour().date())[0] == 5


def test_625_resources_for_720_hours_are_450_000_credits(organization: Organization) -> None:
    first = yesterday().date() - timedelta(days=29)
    midnight = datetime(first.year, first.month, first.day, tzinfo=UTC)
    record_counts(
        organization_id=organization.pk,
        counts=[reading("web", midnight + timedelta(hours=hour), 625) for hour in range(720)],
    )

    assert usage_of_days(organization.pk, first, first + timedelta(days=30))[0] == 450_000
    credits_price = (Decimal(450_000) - 150_000) * Decimal("0.00025")
    assert credits_price == Decimal("75.00")


def test_resource_hours_leave_the_last_day_out(organization: Organization) -> None:
    record_counts(
        organization_id=organization.pk, counts=[reading(hour=yesterday()), reading(hour=this_hour())]
    )
    assert usage_of_days(organization.pk, yesterday().date(), yesterday().date())[0] == 0
    assert usage_of_days(organization.pk, yesterday().date(), this_hour().date())[0] == 5


def test_an_hour_in_another_time_zone_is_taken_as_its_utc_hour(organization: Organization) -> None:
    local = yesterday(23).astimezone(timezone.get_fixed_timezone(120))
    record_counts(organization_id=organization.pk, counts=[reading(hour=local)])
    assert OrganizationDay.objects.get().day == yesterday().date()


def test_a_day_tells_how_many_of_its_hours_were_counted(organization: Organization) -> None:
    record_counts(
        organization_id=organization.pk,
        counts=[reading(hour=yesterday(1), resources=4), reading(hour=yesterday(2), resources=5)],
    )
    (day,) = counted_days(organization.pk, yesterday().date(), this_hour().date())
    assert (day.resource_hours, day.hours_counted) == (9, 2)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (reading(stack=""), "name"),
        (reading(stack="x" * 101), "name"),
        (reading(stack="web\nBcc: all"), "name"),
        (reading(resources=-1), "count"),
        (reading(resources=2**31), "count"),
        (reading(hour=datetime(2026, 1, 1)), "time zone"),  # noqa: DTZ001 - naive on purpose
        (reading(hour=yesterday() + timedelta(minutes=30)), "full UTC hour"),
        # Made when tests are collected: an hour may begin since.
        (reading(hour=this_hour() + timedelta(hours=2)), "begun"),
        (reading(hour=this_hour() - timedelta(days=430)), "only hours since"),
        (reading(hour=datetime(1, 1, 1, tzinfo=timezone.get_fixed_timezone(60))), "only hours since"),
        (reading(stack=" "), "name"),
    ],
)
def test_an_impossible_reading_is_refused_and_nothing_is_recorded(
    organization: Organization, bad: HourlyReading, says: str
) -> None:
    with pytest.raises(Refused, match=says):
        record_counts(organization_id=organization.pk, counts=[reading(), bad])
    assert not HourlyCount.objects.exists()
    assert not Stack.objects.exists()


def test_the_number_of_statements_does_not_grow_with_the_batch(organization: Organization) -> None:
    record_counts(organization_id=organization.pk, counts=[reading("first"), reading("first", this_hour())])
    statements = []
    for stacks in (1, 30):
        counts = [
            reading(f"stack {stacks}-{number}", yesterday(hour))
            for number in range(stacks)
            for hour in range(24)
        ]
        with CaptureQueriesContext(
            connection,
        ) as captured:
            record_counts(organization_id=organization.pk, counts=counts)
        statements.append(sum("SAVEPOINT" not in query["sql"] for query in captured))
    assert statements == [9, 9]


def test_a_month_without_partition_gets_one(organization: Organization) -> None:
    long_ago = this_hour() - timedelta(days=365)
    record_counts(organization_id=organization.pk, counts=[reading(hour=long_ago)])
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ONLY usage_hourlycount")
        assert cursor.fetchone() == (0,)
        cursor.execute(f"SELECT count(*) FROM usage_hourlycount_{long_ago:%Y_%m}")
        assert cursor.fetchone() == (1,)


@pytest.fixture
def no_partitions_of_1999() -> Iterator[None]:
    def drop() -> None:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS usage_hourlycount_1999_01")

    drop()
    yield
    drop()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_partitions_of_1999")
def test_two_that_make_the_same_partition_at_once_both_succeed() -> None:
    assert at_once(*[lambda: ensure_partitions([date(1999, 1, 5)])] * 4) == [None] * 4
