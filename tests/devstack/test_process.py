"""Processes that the next start finds again."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from devstack.process import RecordedProcess


@pytest.fixture
def recorded(tmp_path: Path) -> RecordedProcess:
    return RecordedProcess(tmp_path / "sleeper.lock")


def start(recorded: RecordedProcess, *command: str) -> "subprocess.Popen[bytes]":
    process = recorded.start(command, environment=os.environ)
    while not recorded.is_running():
        time.sleep(0.01)
    return process


def test_process_is_found_by_a_launcher_that_did_not_start_it(recorded: RecordedProcess) -> None:
    process = start(recorded, "sleep", "60")
    found = RecordedProcess(recorded.lock_file)
    assert found.is_running()
    found.stop()
    assert not found.is_running()
    assert process.wait() != 0


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
