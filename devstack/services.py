"""PostgreSQL and Valkey for tests and for work by hand, apart from the demo's.

python -m devstack.services start       start both; they run until `stop`
python -m devstack.services env NAME    make the database NAME if it's missing; print the environment for it
python -m devstack.services stop        stop both and forget their data, unless a test run uses them

eval "$(python -m devstack.services env mine)" && pytest tests/orgs
"""

import argparse
import fcntl
import shlex
import shutil
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psycopg
from psycopg import sql

from devstack.environment import NO_STRIPE, environment
from devstack.errors import StackError
from devstack.paths import run_directory, writable_directory
from devstack.postgres import Postgres
from devstack.valkey import DATABASES, Valkey

PRINTED = (
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "INVITATION_SIGNING_KEYS",
    "STRIPE_SECRET_KEY",
    "STRIPE_API_BASE",
    "STRIPE_WEBHOOK_SECRET",
    "SITE_URL",
    "MAIL_DIR",
    "DJANGO_SETTINGS_MODULE",
)


class TestServices:
    """Servers shared by all test runs of a checkout; the last user stops them, and their data goes with them.

    A mark on disk keeps servers that were started by hand.
    """

    __test__ = False

    def __init__(self) -> None:
        self.directory = writable_directory(run_directory() / "tests")
        self.postgres = Postgres(self.directory / "postgres", durable=False)
        self.valkey = Valkey(self.directory / "valkey")
        self.kept = self.directory / "kept"

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Servers that run as long as the block; afterwards they stop if nobody else uses them."""
        with self._lock("users") as users:
            fcntl.flock(users, fcntl.LOCK_SH)
            try:
                self._start()
                yield
            finally:
                if not self.kept.exists():
                    self._stop_if_unused(users)

    def keep(self) -> None:
        self.kept.touch()
        with self.in_use():
            pass

    def forget(self) -> bool:
        """Whether the servers have stopped: they go on while a test run uses them."""
        self.kept.unlink(missing_ok=True)
        with self._lock("users") as users:
            return self._stop_if_unused(users)

    def environment_for(self, name: str) -> dict[str, str]:
        """The environment for a database made when it's missing; Valkey's database follows from the name."""
        self._create_database(name)
        return environment(
            directory=self.directory,
            mail=self.directory / "mail",
            site_url="http://testserver",
            database_url=self.postgres.url(name),
            redis_url=self.valkey.url(zlib.crc32(name.encode()) % DATABASES),
            stripe_api_base=NO_STRIPE,
        )

    def _start(self) -> None:
        with self._lock("start") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.postgres.start()
            self.valkey.start()

    def _stop_if_unused(self, users: IO[bytes]) -> bool:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        self.postgres.remove()
        self.valkey.stop()
        shutil.rmtree(self.valkey.directory, ignore_errors=True)
        return True

    def _lock(self, name: str) -> IO[bytes]:
        return Path(self.directory / f"{name}.lock").open("ab")

    def _create_database(self, name: str) -> None:
        with psycopg.connect(self.postgres.url("postgres"), autocommit=True) as connection:
            exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if not exists:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m devstack.services",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=["start", "stop", "env"])
    parser.add_argument("name", nargs="?", default="billing_portal", help="the database, for `env`")
    arguments = parser.parse_args()
    services = TestServices()
    if arguments.action == "start":
        services.keep()
    elif arguments.action == "stop":
        if not services.forget():
            raise StackError("A test run uses the servers: they stop when it ends.")
    else:
        services.keep()
        given = services.environment_for(arguments.name)
        for variable in PRINTED:
            if variable in given:
                print(f"export {variable}={shlex.quote(given[variable])}")


if __name__ == "__main__":
    try:
        main()
    except StackError as error:
        sys.exit(str(error))
