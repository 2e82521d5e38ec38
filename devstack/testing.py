"""Runs the tests, and the measurements, on real servers of their own."""

import os
import sys

from devstack.paths import run_directory
from devstack.process import run_in_front
from devstack.services import SharedServices

# One more than a small machine has cores: tests wait for browsers and servers.
WORKERS = "3"
# Of `tests/billing/test_machine.py`: about 3,000 runs.
MANY_SEEDS = "590"


def test(arguments: list[str]) -> int:
    """Run pytest without what is slow by nature. Returns its exit code."""
    return _pytest(["-m", "not slow", *arguments])


def test_full(arguments: list[str]) -> int:
    """Run all tests, and those that try what chance brings as often as nobody waits for."""
    return _pytest(arguments, MACHINE_SEEDS=MANY_SEEDS)


def _pytest(arguments: list[str], **variables: str) -> int:
    # Each worker begins with whole files, so that what the tests of a file share is made once.
    command = [sys.executable, "-m", "pytest", "-n", WORKERS, "--dist", "worksteal", *arguments]
    return on_servers(command, **variables)


def bench(arguments: list[str]) -> int:
    """Measure the pages, or what the first argument names of `bench/`, such as `flood`."""
    named = arguments[:1] if arguments and not arguments[0].startswith("-") else []
    return on_servers([sys.executable, "-m", ".".join(["bench", *named]), *arguments[len(named) :]])


def on_servers(command: list[str], **given: str) -> int:
    """Run a command with PostgreSQL and Valkey up and a database of this run's own. Returns its exit code."""
    services = SharedServices()
    with services.in_use():
        variables = services.environment_for(f"run_{os.getpid()}")
        environment = {**variables, "RUN_DIR": str(run_directory()), **given}
        return run_in_front(command, environment=environment)
