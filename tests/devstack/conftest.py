"""The launcher as a newcomer starts it: without any of the addresses and secrets that tests run with."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from devstack.environment import OWN
from devstack.paths import ROOT
from devstack.postgres import remembered_elsewhere

START_SECONDS = 90


@pytest.fixture
def newcomer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of somebody who has set nothing."""
    for name in (*OWN, "RUN_DIR", "PORT", "POSTGRES_BIN"):
        monkeypatch.delenv(name, raising=False)


@dataclass
class Start:
    """One `make demo`, on a run directory of its own."""

    process: "subprocess.Popen[str]"
    output: Path
    seconds: float = 0

    def text(self) -> str:
        return self.output.read_text()

    def wait_until(self, words: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while words not in self.text():
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < deadline, self.text()
            time.sleep(0.05)

    def wait_until_up(self) -> None:
        began = time.monotonic()
        self.wait_until("The portal runs at")
        self.seconds = time.monotonic() - began

    def interrupt(self) -> int:
        """What Ctrl-C does. Returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=40)


@pytest.fixture
def start_demo(newcomer: None, tmp_path: Path) -> Iterator[Callable[..., Start]]:
    """Starts the demo of this checkout with its data in `tmp_path`; ends what is left of it afterwards."""
    started: list[Start] = []

    def start(*, port: int) -> Start:
        output = tmp_path / f"output-{len(started)}"
        with output.open("w") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "devstack.commands", "demo"],
                cwd=ROOT,
                env={**os.environ, "RUN_DIR": str(tmp_path / "run"), "PORT": str(port)},
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                text=True,
            )
        started.append(Start(process, output))
        return started[-1]

    yield start
    for demo in started:
        demo.process.kill()
        demo.process.wait()
    reset = [sys.executable, "-m", "devstack.commands", "demo-reset"]
    subprocess.run(reset, cwd=ROOT, env={**os.environ, "RUN_DIR": str(tmp_path / "run")}, check=True)


def processes_of(run_directory: Path) -> list[str]:
    """Living processes with one of the demo's folders in their command line or environment."""
    elsewhere = remembered_elsewhere(run_directory / "postgres")
    folders = [str(folder) for folder in (run_directory, elsewhere) if folder]
    listed = subprocess.run(["ps", "axeww", "-o", "args="], capture_output=True, check=True, text=True).stdout
    return [line for line in listed.splitlines() if any(folder in line for folder in folders)]
