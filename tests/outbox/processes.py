"""Workers as processes of their own, to be killed at the worst moment."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from django.db import connection

ROOT = Path(__file__).resolve().parents[2]
LEASE_SECONDS = 1


def environment(mail_url: str, redis_url: str) -> dict[str, str]:
    """What a process needs to work on this test's database, Redis and mail server."""
    database = connection.settings_dict
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.outbox.worker_settings",
        "DATABASE_URL": "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database),
        "REDIS_URL": redis_url,
        "MAIL_DIR": "",
        "MAIL_URL": mail_url,
        "OUTBOX_LEASE_SECONDS": str(LEASE_SECONDS),
    }


class Worker:
    """``celery worker``; ``beat``: with the portal's schedule as well."""

    def __init__(
        self, environment: dict[str, str], directory: Path, *, children: int = 1, beat: bool = False
    ) -> None:
        options = ["-c", str(children), *(["-B", "-s", str(directory / "schedule")] if beat else [])]
        command = [sys.executable, "-m", "celery", "-A", "billing_portal", "worker", *options]
        with (directory / "worker.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--without-gossip", "--without-mingle", "-l", "WARNING"],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Kill -9 the worker and its child, at whatever line they are."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def kill_children(self) -> None:
        """Kill -9 the children alone, all of them at once."""
        subprocess.run(["pkill", "-9", "-P", str(self.process.pid)], check=False)


def wait_until(
    condition: Callable[[], object], *, seconds: float = 60, meanwhile: Callable[[], object] | None = None
) -> None:
    """Poll, and fail when it doesn't become true in time. ``meanwhile`` runs between two looks."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "It did not happen in time."
        if meanwhile:
            meanwhile()
        time.sleep(0.05)
