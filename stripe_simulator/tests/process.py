"""The simulator as a process of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

KEY = "sk_test_process"


@contextmanager
def running(folder: Path, *arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Returns the process and the address that it printed."""
    command = [sys.executable, "-m", "stripe_simulator", "--data", str(folder), *arguments]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "STRIPE_SECRET_KEY": KEY, **environment},
    ) as process:
        try:
            assert process.stdout is not None
            ready = re.fullmatch(
                r"Stripe simulator ready on (http://127\.0\.0\.1:\d+)\n", process.stdout.readline()
            )
            assert ready
            yield process, ready[1]
        finally:
            process.kill()
