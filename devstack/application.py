"""Web, workers and beat of the demo, and what they print."""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Thread
from typing import IO

from devstack.memory import LOOPBACK
from devstack.process import RecordedProcess

SHOWN_CHARACTERS = 200


def application_commands(*, port: int, directory: Path) -> dict[str, list[str]]:
    """The commands by their names; `directory` is where beat keeps its schedule."""
    web = ["gunicorn", "billing_portal.wsgi:application", "--bind", f"{LOOPBACK}:{port}"]
    celery = ["celery", "--quiet", "--app", "billing_portal"]
    worker = [*celery, "worker", "--loglevel", "warning", "--without-gossip", "--without-mingle"]
    return {
        "web": [
            *web,
            "--worker-class",
            "gthread",
            "--threads",
            "4",
            "--log-level",
            "warning",
            "--no-control-socket",
        ],
        "worker": [
            *(*worker, "--queues", "celery,credits", "--concurrency", "2"),
        ],
        "hooks": [
            *(*worker, "--queues", "hooks", "--concurrency", "1"),
        ],
        "beat": [
            *(*celery, "beat", "--loglevel", "warning"),
            *("--schedule", str(directory / "celerybeat-schedule"), "--pidfile="),
        ],
    }


def start_in_view(process: RecordedProcess, command: list[str], variables: Mapping[str, str]) -> None:
    """Start one of them, in place of what an earlier one left running, and show what it prints."""
    process.stop()
    program, *arguments = command
    started = process.start(
        [Path(sys.executable).with_name(program), *arguments], environment=variables, piped=True
    )
    Thread(target=show, args=[process, started.stdout], daemon=True).start()


def show(process: RecordedProcess, output: IO[bytes]) -> None:
    """Print what it prints behind the time and its name, until nobody is left who could print more.

    A long line, which is a traceback mostly, is cut: its whole is in the log file.
    """
    with output, process.log_file.open("wb") as log:
        for line in output:
            log.write(line)
            log.flush()
            text = line.decode(errors="replace").rstrip("\n")
            if len(text) > SHOWN_CHARACTERS:
                text = f"{text[:SHOWN_CHARACTERS]}… (all of it: {process.log_file})"
            # In one piece, or lines of several threads would mix.
            sys.stdout.write(f"{time.strftime('%H:%M:%S')} {process.name:6} | {text}\n")
            sys.stdout.flush()
