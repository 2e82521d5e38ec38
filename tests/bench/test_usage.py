"""A small run of the measurement of reports: all rows arrive, and the largest report can be sent."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from devstack.paths import ROOT


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read as Linux tells it")
def test_reports_are_measured_beside_the_bare_way(tmp_path: Path) -> None:
    found_at = tmp_path / "usage.json"
    run = subprocess.run(
        [sys.executable, "-m", "bench.usage", "--rows", "2000", "--rounds", "1", "--json", found_at],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(found_at.read_text())
    assert (found["rows"], found["rounds"]) == (2000, 1)
    assert 0 < found["memory_above_idle_mib"] < 64
