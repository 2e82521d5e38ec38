"""Behind PgBouncer in transaction mode, which hands a connection to others after each transaction."""

import os
import runpy
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from django.conf import settings
from django.db import connection, connections
from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone

from orgs.models import Membership, Organization
from orgs.policy import Role
from tests.billing.factories import InvoiceFactory
from tests.factories import MembershipFactory, OrganizationFactory
from tests.world import signed_in
from usage.models import OrganizationDay
from usage.readings import HourlyReading
from usage.services import record_counts

PEOPLE, CONNECTIONS, ROUNDS = 4, 2, 8
FIRST_HOUR = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2)


@pytest.fixture
def pooler(tmp_path: Path) -> Iterator[int]:
    """The port of a PgBouncer before the tests' database, with fewer connections than there are clients."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    assert program, "PgBouncer is missing: apt-get install pgbouncer"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    database = "host={HOST} port={PORT} user={USER} password={PASSWORD}".format(**connection.settings_dict)
    lines = [
        "[databases]",
        f"* = {database}",
        "[pgbouncer]",
        "listen_addr = 127.0.0.1",
        f"listen_port = {port}",
        "unix_socket_dir =",
        "auth_type = any",
        "pool_mode = transaction",
        f"default_pool_size = {CONNECTIONS}",
        "ignore_startup_parameters = options",
        # It doesn't run as root.
        *(["user = nobody"] if os.getuid() == 0 else []),
    ]
    configuration = tmp_path / "pgbouncer.ini"
    configuration.write_text("\n".join(lines))
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen([program, configuration], stdout=log, stderr=log)
    deadline = time.monotonic() + 10
    while not answers(port):
        assert process.poll() is None, (tmp_path / "log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield port
    process.terminate()
    process.wait()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def statuses_of_visits(membership: Membership, together: Barrier) -> set[int]:
    """Of a person who opens pages again and again, by a connection of their own."""
    client = signed_in(membership.user)
    found = set()
    for _round in range(ROUNDS):
        together.wait(30)
        for page in ("members", "billing", "invoices"):
            url = reverse(page, args=[membership.organization.slug])
            found.add(client.get(url).status_code)
    connections.close_all()
    return found


def counts_recorded(organization: Organization, together: Barrier) -> int:
    """The sum of the days of an organization, reported hour by hour beside others."""
    for hour in range(ROUNDS):
        together.wait(30)
        reading = HourlyReading(stack="web", hour=FIRST_HOUR + timedelta(hours=hour), resources=1)
        record_counts(organization_id=organization.pk, counts=[reading])
    total = OrganizationDay.objects.filter(organization=organization).aggregate(sum=Sum("resource_hours"))
    connections.close_all()
    return int(total["sum"])


@pytest.fixture
def pooled(pooler: int, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections that are made from now on lead to the pooler, and keep no statements."""
    monkeypatch.setenv("DATABASE_PREPARE", "off")
    monkeypatch.setenv(
        "DATABASE_URL",
        "postgres://{USER}@127.0.0.1:{port}/{NAME}".format(**connection.settings_dict, port=pooler),
    )
    databases = runpy.run_path(str(Path(settings.BASE_DIR) / "billing_portal" / "settings.py"))["DATABASES"]
    monkeypatch.setitem(connections.settings, "default", {**connection.settings_dict, **databases["default"]})


@pytest.mark.slow
@pytest.mark.usefixtures("pooled")
def test_pages_work_by_several_connections_that_keep_no_statements() -> None:
    people = [MembershipFactory(role=Role.ADMIN) for _number in range(PEOPLE)]
    for person in people:
        InvoiceFactory(organization=person.organization)
    together = Barrier(PEOPLE)
    with ThreadPoolExecutor(PEOPLE) as threads:
        found = list(threads.map(lambda person: statuses_of_visits(person, together), people))
    assert found == [{200}] * PEOPLE


@pytest.mark.slow
@pytest.mark.usefixtures("pooled")
def test_usage_is_recorded_by_connections_that_others_had_before() -> None:
    """With its temporary table and its locks."""
    organizations = [OrganizationFactory() for _number in range(PEOPLE)]
    together = Barrier(PEOPLE)
    with ThreadPoolExecutor(PEOPLE) as threads:
        found = list(threads.map(lambda one: counts_recorded(one, together), organizations))
    assert found == [ROUNDS] * PEOPLE
