"""The portal as a deployment runs it, in processes of their own: web, one worker, beat."""

import os
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connection

from bench.requests import Request
from devstack.application import application_commands
from devstack.memory import LOOPBACK, remembered_port
from devstack.paths import ROOT

START_SECONDS = 60


class Site:
    """An HTTP site at ``port``, over a connection that is kept."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection(LOOPBACK, port, timeout=60)

    def ask(self, request: Request) -> int:
        """The status of the answer. Raises OSError or HTTPException when there is none."""
        cookies = "; ".join(f"{name}={value}" for name, value in request.cookies.items())
        headers = {**request.headers, **({"Cookie": cookies} if cookies else {})}
        try:
            self._connection.request(request.method, request.path, request.body or None, headers)
            with self._connection.getresponse() as answer:
                answer.read()
                return answer.status
        except Exception:
            self._connection.close()
            raise


@contextmanager
def served(*, only: Collection[str] = ("web", "worker", "beat")) -> Iterator[int]:
    """Run the portal on the database and the Stripe of this run; yields its port. ``only``: these parts."""
    with TemporaryDirectory() as name, ExitStack() as stack:
        port = remembered_port(Path(name) / "port")
        variables = {
            **os.environ,
            "DATABASE_URL": database_url(str(connection.settings_dict["NAME"])),
            "STRIPE_API_BASE": settings.STRIPE_API_BASE,
            "SITE_URL": f"http://{LOOPBACK}:{port}",
            "DEVELOPMENT": "1",
        }
        for part, (program, *arguments) in application_commands(port=port, directory=Path(name)).items():
            if part not in only:
                continue
            command = [Path(sys.executable).with_name(program), *arguments]
            stack.enter_context(running(part, command, variables))
        wait_for(port)
        yield port


@contextmanager
def running(
    name: str, command: Sequence[str | Path], variables: dict[str, str], *, folder: Path = ROOT
) -> Iterator[None]:
    """Run it as long as the block; what it prints goes into ``bench-<name>.log``."""
    with (settings.RUN_DIR / f"bench-{name}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def database_url(name: str) -> str:
    """The address of a database beside the given one."""
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))


def wait_for(port: int) -> None:
    give_up = time.monotonic() + START_SECONDS
    while True:
        try:
            Site(port).ask(Request("GET", "/healthz"))
        except OSError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.1)
        else:
            return
