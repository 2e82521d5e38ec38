"""A small run of the measurement of settling: every ledger gets its hour."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from devstack.paths import ROOT


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells the processor time of another process")
def test_settling_is_measured_early_and_late_in_a_month_by_one_and_by_two(tmp_path: Path) -> None:
    found_at = tmp_path / "settling.json"
    run = subprocess.run(
        [sys.executable, "-m", "bench.settling", "--organizations", "3", "--json", found_at],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(found_at.read_text())
    assert [(one["hours"], one["processes"]) for one in found] == [(24, 1), (24, 2), (720, 1), (720, 2)]
    assert all(one["worker_ms"] > 0 for one in found)
