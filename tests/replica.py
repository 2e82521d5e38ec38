"""A streaming replica of the tests' database, and the settings that name one."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.db import connection, connections
from django.test import override_settings

from devstack.postgres import Postgres

REPLICA = "replica"
CATCH_UP_SECONDS = 20


class Replica(Postgres):
    """It begins as a copy of the tests' server, and follows it."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, durable=False)

    def _make_data(self, unfinished: Path) -> int:
        primary = "host={HOST} port={PORT} user={USER} password={PASSWORD} dbname={NAME}"
        return self.account.run(
            self.binaries / "pg_basebackup",
            *("-D", unfinished, "-d", primary.format(**connection.settings_dict)),
            *("--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync"),
        )

    @property
    def port(self) -> int:
        return int((self.data / "postmaster.pid").read_text().splitlines()[3])

    def ask(self, question: str) -> object:
        """The one value that its copy of the tests' database tells."""
        given = connection.settings_dict
        with psycopg.connect(
            host=given["HOST"],
            port=self.port,
            user=given["USER"],
            password=given["PASSWORD"],
            dbname=given["NAME"],
        ) as own:
            row = own.execute(question).fetchone()
        return row[0] if row else None

    def catch_up(self) -> None:
        with connection.cursor() as cursor:
            # Where commits have come to: on this server they need not be written yet.
            cursor.execute("SELECT pg_current_wal_insert_lsn()")
            (reached,) = cursor.fetchone()
        give_up = time.monotonic() + CATCH_UP_SECONDS
        while not self.ask(f"SELECT pg_last_wal_replay_lsn() >= '{reached}'"):
            assert time.monotonic() < give_up
            time.sleep(0.02)


@contextmanager
def replica_at(port: int) -> Iterator[None]:
    """Read reports from the server at that port. Its name isn't one of those that Django forbids to tests."""
    connections[REPLICA] = copy = connection.copy(REPLICA)
    copy.settings_dict["PORT"] = port
    try:
        with override_settings(REPORTS_DATABASE=REPLICA):
            yield
    finally:
        copy.close()
        del connections[REPLICA]
