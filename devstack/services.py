"""PostgreSQL and Valkey for tests and for work by hand, apart from the demo's.

python -m devstack.services start       start both; they run until `stop`
python -m devstack.services env NAME    make the database NAME if it's missing; print the environment for it
python -m devstack.services stop        stop both and delete their data, unless a test run uses them

eval "$(python -m devstack.services env mine)" && pytest tests/orgs
"""

import argparse
import fcntl
import os
import shlex
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from devstack.environment import NO_STRIPE, OWN, environment
from devstack.messages import StackError
from devstack.paths import run_directory, writable_directory
from devstack.servers import Servers
from devstack.valkey import DATABASES


class SharedServices:
    """Servers shared by all test runs of a checkout; the last user stops them, and their data goes with them.

    A mark on disk keeps servers that were started by hand.
    """

    def __init__(self) -> None:
        self.directory = writable_directory(run_directory() / "tests")
        self.servers = Servers(self.directory, durable=False)
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
                    self._remove_unless_used(users)

    def keep(self) -> None:
        """Start the servers for good."""
        self.kept.touch()
        with self.in_use():
            pass

    def forget(self) -> None:
        """Stop the servers and delete their data. Raises `StackError` while a test run uses them."""
        self.kept.unlink(missing_ok=True)
        with self._lock("users") as users:
            if not self._remove_unless_used(users):
                raise StackError("A test run uses the servers: they stop when it ends.")

    def environment_for(self, name: str) -> dict[str, str]:
        """The environment for a database made when it's missing; Valkey's database follows from the name."""
        return {
            **environment(
                directory=self.directory,
                mail=self.directory / "mail",
                site_url="http://testserver",
                database_url=self.servers.database_url(name),
                redis_url=self.servers.redis_url(zlib.crc32(name.encode()) % DATABASES),
                stripe_api_base=NO_STRIPE,
            ),
            # As in the demo: static files come from their sources, and the development pages are there.
            "DEVELOPMENT": "1",
        }

    def _start(self) -> None:
        with self._lock("start") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.servers.start()

    def _remove_unless_used(self, users: IO[bytes]) -> bool:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        self.servers.remove()
        return True

    def _lock(self, name: str) -> IO[bytes]:
        return (self.directory / f"{name}.lock").open("ab")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m devstack.services",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=["start", "stop", "env"])
    parser.add_argument("name", nargs="?", default="billing_portal", help="the database, for `env`")
    arguments = parser.parse_args()
    # In a shell that took over what `env` printed, these are our own servers.
    for variable in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(variable, None)
    services = SharedServices()
    if arguments.action == "stop":
        services.forget()
        return
    services.keep()
    if arguments.action == "env":
        given = services.environment_for(arguments.name)
        for variable in filter(given.get, OWN):
            print(f"export {variable}={shlex.quote(given[variable])}")


if __name__ == "__main__":
    try:
        main()
    except StackError as error:
        sys.exit(str(error))
