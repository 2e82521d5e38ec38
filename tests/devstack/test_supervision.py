"""What the demo does for a part that ended, told with small processes."""

import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from devstack.application import SHOWN_CHARACTERS, start_in_view
from devstack.memory import remembered_port
from devstack.messages import StackError
from devstack.process import RecordedProcess
from devstack.servers import check_redis
from devstack.supervision import MOST_QUICK_ENDS, GivenServer, Part, supervise
from tests.outbox.processes import wait_until
from tests.redis_server import RedisServer


@pytest.fixture
def process(tmp_path: Path) -> Iterator[RecordedProcess]:
    process = RecordedProcess(tmp_path / "sleeper.lock")
    yield process
    process.stop()


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devstack.supervision.PAUSE_SECONDS", 0.1)
    monkeypatch.setattr("devstack.supervision.LOOK_SECONDS", 0.01)


def part_of(process: RecordedProcess, *command: str) -> Part:
    start = partial(process.start, command, environment=os.environ)
    start()
    return Part("sleeper", how_ended=process.how_ended, start=start)


def kill(process: RecordedProcess) -> None:
    assert process._started
    process._started.kill()
    wait_until(process.how_ended)


def test_what_was_killed_is_started_again_and_one_line_says_so(
    process: RecordedProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    part = part_of(process, "sleep", "60")
    part.look()
    assert capsys.readouterr().out == ""
    kill(process)
    part.look()
    assert process.how_ended() is None
    assert process.is_running()
    assert capsys.readouterr().out.splitlines() == [
        "- sleeper ended (signal 9): starting it again",
        "- sleeper was started again",
    ]


@pytest.mark.slow
def test_what_ends_at_every_start_is_given_up_after_growing_pauses(
    process: RecordedProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    part = part_of(process, "sh", "-c", "exit 3")
    began = time.monotonic()
    with pytest.raises(StackError) as given_up:
        supervise([part.look])
    assert time.monotonic() - began >= 0.1 + 0.2 + 0.4
    assert str(given_up.value).startswith(
        "sleeper ended (exit code 3), 5 times in a row soon after its start"
    )
    assert capsys.readouterr().out.splitlines()[::2] == [
        "- sleeper ended (exit code 3): starting it again",
        "- sleeper ended (exit code 3): starting it again in 0.1 s",
        "- sleeper ended (exit code 3): starting it again in 0.2 s",
        "- sleeper ended (exit code 3): starting it again in 0.4 s",
    ]


@pytest.mark.slow
def test_what_can_not_even_be_started_is_given_up_too(capsys: pytest.CaptureFixture[str]) -> None:
    def start() -> None:
        raise StackError("Valkey did not start: see its log.")

    with pytest.raises(StackError, match=r"^Valkey is gone, 5 times in a row"):
        supervise([Part("Valkey", how_ended=lambda: "is gone", start=start).look])
    assert (
        capsys.readouterr().out.splitlines()[1::2]
        == ["- Valkey did not start: see its log."] * MOST_QUICK_ENDS
    )


@pytest.mark.slow
def test_what_ran_long_is_never_given_up(process: RecordedProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devstack.supervision.QUICK_SECONDS", 0)
    part = part_of(process, "sleep", "60")
    for _ in range(MOST_QUICK_ENDS + 2):
        kill(process)
        part.look()
        assert process.is_running()


HOLDS_A_PORT_WITH_A_CHILD = """
import os, socket, sys, time
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
os.fork()
os.write(1, b"has the port\\n")
time.sleep(60)
"""


def test_what_an_ended_process_left_running_is_ended_before_the_next_start(
    process: RecordedProcess, tmp_path: Path
) -> None:
    command = ["python", "-c", HOLDS_A_PORT_WITH_A_CHILD, str(remembered_port(tmp_path / "port"))]
    start = partial(start_in_view, process, command, os.environ)
    for _ in range(2):
        start()
        wait_until(lambda: process.log_file.read_text() == "has the port\n" * 2)
        kill(process)
        assert process.is_running(), "the child is left"


def test_long_line_is_cut_on_the_console_and_whole_in_the_log(
    process: RecordedProcess, capfd: pytest.CaptureFixture[str]
) -> None:
    start_in_view(process, ["python", "-c", "print('short'); print('x' * 10_000, flush=True)"], os.environ)
    wait_until(lambda: process.log_file.read_text() == f"short\n{'x' * 10_000}\n", seconds=10)
    wait_until(lambda: process.how_ended() == "ended (exit code 0)")
    time.sleep(0.1)
    short, long = capfd.readouterr().out.splitlines()
    assert short.endswith(" sleeper | short")
    assert long.endswith(f" sleeper | {'x' * SHOWN_CHARACTERS}… (all of it: {process.log_file})")


def test_server_of_the_caller_is_said_to_be_gone_once_and_to_be_back_once(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("devstack.supervision.GIVEN_LOOK_SECONDS", 0)
    server = GivenServer("The server in REDIS_URL", partial(check_redis, redis_server.url))
    server.look()
    redis_server.stop()
    server.look()
    server.look()
    redis_server.start()
    server.look()
    server.look()
    gone, back = capsys.readouterr().out.splitlines()
    assert gone.startswith("- The server in REDIS_URL can't be used: ")
    assert back == "- The server in REDIS_URL answers again"
