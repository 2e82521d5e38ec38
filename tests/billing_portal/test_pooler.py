"""Behind PgBouncer in transaction mode, which hands a connection to others after each transaction."""

import os
import runpy
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from django.conf import settings
from django.db import connection, connections
from django.urls import reverse

from orgs.models import Membership
from orgs.policy import Role
from tests.billing.factories import InvoiceFactory
from tests.factories import MembershipFactory
from tests.world import signed_in

PEOPLE, CONNECTIONS, ROUNDS = 4, 2, 8


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


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_pages_work_by_several_connections_that_keep_no_statements(
    pooler: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [MembershipFactory(role=Role.ADMIN) for _number in range(PEOPLE)]
    for person in people:
        InvoiceFactory(organization=person.organization)
    monkeypatch.setenv("DATABASE_PREPARE", "off")
    monkeypatch.setenv(
        "DATABASE_URL",
        "postgres://{USER}@127.0.0.1:{port}/{NAME}".format(**connection.settings_dict, port=pooler),
    )
    pooled = runpy.run_path(str(Path(settings.BASE_DIR) / "billing_portal" / "settings.py"))["DATABASES"]
    monkeypatch.setitem(connections.settings, "default", {**connection.settings_dict, **pooled["default"]})
    together = Barrier(PEOPLE)
    with ThreadPoolExecutor(PEOPLE) as threads:
        found = list(threads.map(lambda person: statuses_of_visits(person, together), people))
    assert found == [{200}] * PEOPLE
