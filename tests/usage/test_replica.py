"""Reports, read from a real streaming replica of the tests' database: which are, and what its mishaps do."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orgs import replica as reports
from orgs.models import Membership
from orgs.policy import Role
from orgs.replica import may_lag, reading
from tests.conftest import SignIn
from tests.factories import MembershipFactory
from tests.replica import REPLICA, Replica, replica_at
from tests.usage.test_dashboard import fact
from usage.readings import HourlyReading
from usage.services import record_counts

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

REPORTS = ("dashboard", "stacks", "usage_by_day", "usage_by_stack", "api_resources_summary")
QUERIES = {"api_resources_summary": "?granularity=daily&lookbackDays=2"}
OLD, NEW = 6_789, 98_765
HOUR = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)


@pytest.fixture(scope="module")
def server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    replica = Replica(tmp_path_factory.mktemp("replica"))
    replica.start()
    yield replica
    replica.remove()


@pytest.fixture
def follower(server: Replica, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Replica]:
    """The replica, named in the settings, running and not left out."""
    server.start()
    monkeypatch.setattr(reports, "_absence", reports.Absence())
    with replica_at(server.port):
        yield server


@pytest.fixture
def behind(follower: Replica, admin: Membership) -> Iterator[Replica]:
    """The replica stopped before the new count of the organization came, and another member."""
    record(admin, OLD)
    follower.catch_up()
    follower.ask("SELECT pg_wal_replay_pause()")
    record(admin, NEW)
    MembershipFactory(organization=admin.organization)
    yield follower
    follower.start()
    follower.ask("SELECT pg_wal_replay_resume()")


def record(membership: Membership, resources: int) -> None:
    counts = [HourlyReading(stack="web", hour=HOUR, resources=resources)]
    record_counts(organization_id=membership.organization_id, counts=counts)


def page(client: Client, membership: Membership, name: str) -> str:
    answer = client.get(reverse(name, args=[membership.organization.slug]) + QUERIES.get(name, ""))
    assert answer.status_code == 200
    body = answer.getvalue() if answer.streaming else answer.content
    return " ".join(body.decode().split())


def told(html: str) -> set[int]:
    return {count for count in (OLD, NEW) if re.search(rf"\b{count:,}\b|\b{count}\b", html)}


def test_reports_tell_what_the_replica_knows_and_as_of_when(
    behind: Replica, admin: Membership, sign_in: SignIn
) -> None:
    client = sign_in(admin)
    for name in REPORTS:
        assert told(page(client, admin, name)) == {OLD}, name
    for name in ("dashboard", "stacks"):
        assert "Usage as it was recorded by" in page(client, admin, name)


def test_what_is_no_report_is_read_from_the_primary(
    behind: Replica, admin: Membership, sign_in: SignIn
) -> None:
    client = sign_in(admin)
    assert fact(page(client, admin, "dashboard"), "Members") == "2"
    assert told(page(client, admin, "api_list_stacks")) == {NEW}


def test_an_organization_that_the_replica_does_not_know_yet_has_pages(
    behind: Replica, sign_in: SignIn
) -> None:
    founder = MembershipFactory(role=Role.ADMIN)
    for name in REPORTS[:-1]:
        page(sign_in(founder), founder, name)


def test_one_that_lags_too_much_is_left_out(
    behind: Replica, admin: Membership, sign_in: SignIn, settings: LazySettings
) -> None:
    settings.REPLICA_MOST_LAG_SECONDS = 0
    html = page(sign_in(admin), admin, "dashboard")
    assert told(html) == {NEW}
    assert "Usage as it was recorded by" not in html


def test_one_that_stops_is_left_out_at_once(behind: Replica, admin: Membership, sign_in: SignIn) -> None:
    client = sign_in(admin)
    assert told(page(client, admin, "dashboard")) == {OLD}
    behind.stop()
    for name in REPORTS:
        assert told(page(client, admin, name)) == {NEW}, name


def test_one_that_fails_amid_a_report_is_left_out(follower: Replica, admin: Membership) -> None:
    """As where it cancels what reads a partition that was just dropped."""
    read_by = []

    def read() -> int:
        read_by.append(reading().alias)
        with reading().cursor() as cursor:
            cursor.execute("SELECT 1 / %s", [int(reading().alias != REPLICA)])
            return int(cursor.fetchone()[0])

    record(admin, OLD)
    follower.catch_up()
    assert may_lag(read) == (1, None)
    assert read_by == [REPLICA, "default"]


def test_what_takes_too_long_is_not_asked_again_of_the_primary(follower: Replica, admin: Membership) -> None:
    read_by = []

    def read() -> None:
        read_by.append(reading().alias)
        with reading().cursor() as cursor:
            cursor.execute("SET statement_timeout = 10")
            cursor.execute("SELECT pg_sleep(5)")

    record(admin, OLD)
    follower.catch_up()
    with pytest.raises(Exception, match="statement timeout"):
        may_lag(read)
    assert read_by == [REPLICA]
    connections[REPLICA].close()
