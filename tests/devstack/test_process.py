"""Processes that the next start finds again."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from devstack.paths import ROOT
from devstack.process import RecordedProcess


@pytest.fixture
def recorded(tmp_path: Path) -> RecordedProcess:
    return RecordedProcess(tmp_path / "sleeper.lock")


def start(recorded: RecordedProcess, *command: str) -> "subprocess.Popen[bytes]":
    return recorded.start(command, environment=os.environ)


def test_process_is_found_by_a_launcher_that_did_not_start_it(recorded: RecordedProcess) -> None:
    process = start(recorded, "sleep", "60")
    found = RecordedProcess(recorded.lock_file)
    assert found.is_running()
    found.stop()
    assert not found.is_running()
    assert process.wait() != 0


INTERRUPTED_START = """
import os, signal, sys
from pathlib import Path
from devstack.process import RecordedProcess

recorded = RecordedProcess(Path(sys.argv[1]))
signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
signal.setitimer(signal.ITIMER_REAL, 0.001)
try:
    recorded.start(["sleep", "60"], environment=os.environ)
except KeyboardInterrupt:
    print("found" if recorded.is_running() else "lost")
"""


def test_interruption_waits_until_the_process_can_be_found(recorded: RecordedProcess) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_START, recorded.lock_file],
        check=False,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert answer.stdout == "found\n"
    recorded.stop()


def test_children_are_stopped_even_when_their_parent_is_dead(recorded: RecordedProcess) -> None:
    process = start(recorded, "sh", "-c", "sleep 60 & echo ready; exec sleep 61")
    while "ready" not in recorded.log_file.read_text():
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert recorded.is_running()
    recorded.stop()
    assert not recorded.is_running()


def test_process_that_ignores_the_polite_signal_is_killed(
    recorded: RecordedProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("devstack.process.STOP_SECONDS", 0.2)
    ignorant = (
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
    )
    process = start(recorded, sys.executable, "-c", ignorant)
    while "ready" not in recorded.log_file.read_text():
        time.sleep(0.01)
    recorded.stop()
    assert process.wait() == -9


def test_nothing_is_stopped_when_the_number_now_belongs_to_another_program(recorded: RecordedProcess) -> None:
    stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
    recorded.lock_file.write_text(f"{stranger.pid}\n")
    recorded.stop()
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()
