"""The demo as a whole: it starts, keeps its data, survives being killed, and leaves nothing running."""

import os
import signal
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from devstack.launcher import DATABASE
from devstack.memory import LOOPBACK, port_answers, remembered_port
from devstack.postgres import Postgres
from devstack.process import RecordedProcess
from devstack.servers import Servers
from tests.devstack.conftest import Start, processes_of
from tests.outbox.processes import wait_until

pytestmark = pytest.mark.slow

StartDemo = Callable[..., Start]


@pytest.fixture
def port(tmp_path: Path) -> int:
    return remembered_port(tmp_path / "port")


def organizations(run: Path) -> int:
    """How many organizations the demo's database holds, while its server runs."""
    with psycopg.connect(Postgres(run / "postgres", durable=True).url(DATABASE)) as connection:
        row = connection.execute("SELECT count(*) FROM orgs_organization").fetchone()
    assert row is not None
    return int(row[0])


def test_ctrl_c_stops_everything_and_the_next_start_has_the_same_data(
    start_demo: StartDemo, port: int, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    first = start_demo(port=port)
    first.wait_until_up()
    with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/healthz", timeout=20) as answer:
        assert answer.status == 200
    assert "admin@acme.test" in first.text()
    running = "\n".join(processes_of(tmp_path / "run"))
    parts = ("postgres", "valkey-server", "stripe_simulator", "gunicorn", "worker", "beat")
    assert [part for part in parts if part not in running] == []
    before = organizations(tmp_path / "run")
    assert before == 4
    assert first.interrupt() == 0
    assert "Traceback" not in first.text()
    assert processes_of(tmp_path / "run") == []
    assert not port_answers(port)

    second = start_demo(port=port)
    second.wait_until_up()
    record_property("seconds of a second start", second.seconds)
    assert organizations(tmp_path / "run") == before
    assert second.interrupt() == 0


def test_second_demo_of_a_checkout_is_refused_in_one_sentence(start_demo: StartDemo, port: int) -> None:
    running = start_demo(port=port)
    running.wait_until_up()
    refused = start_demo(port=port)
    assert refused.process.wait(timeout=30) == 1
    assert refused.text().splitlines() == [
        f"This checkout's demo runs already (http://{LOOPBACK}:{port}/, process {running.process.pid}): "
        "stop it there with Ctrl-C."
    ]
    assert port_answers(port)


def test_start_recovers_from_a_demo_that_was_killed_hard(
    start_demo: StartDemo, port: int, tmp_path: Path
) -> None:
    killed = start_demo(port=port)
    killed.wait_until_up()
    os.killpg(killed.process.pid, signal.SIGKILL)
    killed.process.wait()
    assert RecordedProcess(tmp_path / "run/processes/web.lock").is_running()
    postmaster = int(
        (Postgres(tmp_path / "run/postgres", durable=True).data / "postmaster.pid").read_text().split()[0]
    )
    os.kill(postmaster, signal.SIGKILL)

    again = start_demo(port=port)
    again.wait_until_up()
    assert "Ending what an earlier demo left running" in again.text()
    assert organizations(tmp_path / "run") == 4
    assert again.interrupt() == 0
    assert processes_of(tmp_path / "run") == []


@pytest.mark.parametrize("step", ["Starting PostgreSQL and Valkey", "Migrating the database", "Starting web"])
def test_ctrl_c_while_starting_leaves_nothing(
    start_demo: StartDemo, port: int, tmp_path: Path, step: str
) -> None:
    demo = start_demo(port=port)
    demo.wait_until(step)
    assert demo.interrupt() == 0
    assert "Traceback" not in demo.text()
    assert processes_of(tmp_path / "run") == []


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def kill_process(run: Path, name: str) -> None:
    """Kill -9 the main process alone; its children have to be ended by others."""
    os.kill(int((run / f"processes/{name}.lock").read_text()), signal.SIGKILL)


def kill_server(run: Path, name: str) -> None:
    if name == "Valkey":
        os.kill(int((run / "valkey/valkey.lock").read_text()), signal.SIGKILL)
    else:
        record = Postgres(run / "postgres", durable=True).data / "postmaster.pid"
        os.kill(int(record.read_text().split()[0]), signal.SIGKILL)


def test_whatever_dies_is_started_again_until_it_dies_too_often(
    start_demo: StartDemo, port: int, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    demo = start_demo(port=port)
    demo.wait_until_up()
    for name in ("web", "worker", "beat", "stripe"):
        kill_process(run, name)
        title = "The Stripe simulator" if name == "stripe" else name
        demo.wait_until(f"- {title} ended (signal 9): starting it again\n")
        demo.wait_until(f"- {title} was started again\n")
        wait_until(RecordedProcess(run / f"processes/{name}.lock").is_running)
    for name in ("PostgreSQL", "Valkey"):
        kill_server(run, name)
        demo.wait_until(f"- {name} is gone: starting it again\n")
        demo.wait_until(f"- {name} was started again\n")
    wait_until(lambda: answers(f"http://{LOOPBACK}:{port}/readyz"))
    assert answers(f"http://{LOOPBACK}:{(run / 'processes/stripe.port').read_text()}/")
    assert organizations(run) == 4

    def kill_beat() -> None:
        with suppress(OSError, ValueError):
            kill_process(run, "beat")

    wait_until(lambda: demo.process.poll() is not None, meanwhile=kill_beat)
    assert demo.process.returncode == 1
    assert (
        demo.text()
        .splitlines()[-1]
        .startswith("beat ended (signal 9), 5 times in a row soon after its start")
    )
    assert "Traceback" not in demo.text()
    assert processes_of(run) == []


def test_demo_says_when_servers_of_the_caller_are_gone_and_stops_without_them(
    start_demo: StartDemo, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TemporaryDirectory(dir="/var/tmp") as directory:
        Path(directory).chmod(0o755)
        given = Servers(Path(directory), durable=False)
        assert given.postgres
        assert given.valkey
        given.start()
        try:
            monkeypatch.setenv("DATABASE_URL", given.database_url("given"))
            monkeypatch.setenv("REDIS_URL", given.redis_url())
            demo = start_demo(port=port)
            demo.wait_until_up()
            given.valkey.stop()
            demo.wait_until("- The server in REDIS_URL can't be used: ")
            given.valkey.start()
            demo.wait_until("- The server in REDIS_URL answers again\n")
            given.postgres.stop()
            demo.wait_until("- The database in DATABASE_URL can't be used: ")
            given.valkey.stop()
            assert demo.interrupt() == 0
            assert "Traceback (most recent call last)" not in demo.text()
            assert processes_of(tmp_path / "run") == []
        finally:
            given.remove()
