"""Processes that outlive a launcher which was killed, and that the next one finds again.

The started process holds a lock on its own file, and so do its children: as long as the lock is taken the
process group lives, and the number in the file is that group's. The kernel frees the lock however they end.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from devstack.messages import StackError
from devstack.paths import ROOT

STOP_SECONDS = 5
INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class RecordedProcess:
    """A background process known by its lock file."""

    def __init__(self, lock_file: Path) -> None:
        self.lock_file = lock_file
        self.log_file = lock_file.with_suffix(".log")
        self._started: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        return self.lock_file.stem

    def start(
        self, command: Sequence[str | Path], *, environment: Mapping[str, str], piped: bool = False
    ) -> "subprocess.Popen[bytes]":
        """Start in a session of its own, out of reach of the terminal's Ctrl-C, and wait until it's recorded.

        What it prints goes into its log file, or with `piped` to the reader of `stdout` of what is returned.
        An interruption comes after that, so that the code that stops everything finds it.
        """
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTIONS)
        try:
            with self.log_file.open("wb") as log:
                self._started = subprocess.Popen(
                    [sys.executable, "-m", __spec__.name, str(self.lock_file), *map(str, command)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE if piped else log,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    cwd=ROOT,
                    start_new_session=True,
                )
            while self._started.poll() is None and not self.is_running():
                time.sleep(0.01)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return self._started

    def is_running(self) -> bool:
        try:
            lock = self.lock_file.open("rb")
        except FileNotFoundError:
            return False
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def how_ended(self) -> str | None:
        """How the process that was started here ended; None while it runs."""
        code = self._started.poll() if self._started else None
        if code is None:
            return None
        return f"ended (signal {-code})" if code < 0 else f"ended (exit code {code})"

    def stop(self) -> None:
        """End the process and its children, by force after `STOP_SECONDS`. Does nothing when none runs."""
        if not self._ends_after(signal.SIGTERM, STOP_SECONDS) and not self._ends_after(signal.SIGKILL, 5):
            raise StackError(f"{self.name} does not stop: end process group {self._group()} by hand.")
        if self._started:
            self._started.wait()

    def _ends_after(self, signal_number: int, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        signaled = False
        while self.is_running():
            if time.monotonic() > deadline:
                return False
            group = self._group()
            if group and not signaled:
                os.killpg(group, signal_number)
                signaled = True
            time.sleep(0.02)
        return True

    def _group(self) -> int | None:
        """The process group, or None in the moment before the process wrote it down."""
        written = self.lock_file.read_text()
        return int(written) if written.endswith("\n") else None


def run_in_front(command: Sequence[str | Path], *, environment: Mapping[str, str]) -> int:
    """Run a command that has the terminal to itself, Ctrl-C included. Returns its exit code."""
    ours = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return subprocess.run(command, check=False, cwd=ROOT, env=environment).returncode
    finally:
        signal.signal(signal.SIGINT, ours)


def become(lock_file: str, *command: str) -> None:
    """Take the lock, write down the process group and turn into `command`, which inherits the lock."""
    descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.truncate(descriptor, 0)
    os.write(descriptor, b"%d\n" % os.getpgrp())
    os.set_inheritable(descriptor, True)
    # The caller holds them back.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.execvp(command[0], command)


if __name__ == "__main__":
    become(*sys.argv[1:])
