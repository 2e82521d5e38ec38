"""A small run of the measurement of the dashboard beside its size."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from devstack.paths import ROOT


@pytest.mark.slow
@pytest.mark.django_db
def test_a_larger_dashboard_is_measured_beside_a_small_one(tmp_path: Path) -> None:
    found_at = tmp_path / "dashboard.json"
    size = ("--rows", "20000", "--samples", "2")
    run = subprocess.run(
        [sys.executable, "-m", "bench.dashboard", *size, "--json", found_at],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "DEVELOPMENT"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "usage_hourlycount: 21,000 rows" in run.stdout
    _floor, small, large, day, days = json.loads(found_at.read_text())
    assert (small["name"], large["name"]) == ("dashboard, 1,000", "dashboard, 20,000")
    assert small["sql"] == large["sql"]
    assert (day["name"], days["sql"]) == ("one day", 1)
    assert small["shortest_ratio"] is day["shortest_ratio"] is None
    assert large["shortest_ratio"] > 0
