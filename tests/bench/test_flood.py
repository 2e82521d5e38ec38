"""A small flood through web and worker: no event is lost, and those of one customer share fetches."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from devstack.paths import ROOT

EVENTS, CUSTOMERS = 80, 8


@pytest.mark.slow
@pytest.mark.django_db
def test_no_event_is_lost_and_a_customers_events_share_fetches(tmp_path: Path) -> None:
    found_at = tmp_path / "flood.json"
    size = ("--events", str(EVENTS), "--customers", str(CUSTOMERS), "--seconds", "200")
    flood = subprocess.run(
        [sys.executable, "-m", "bench.flood", *size, "--json", found_at],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert flood.returncode == 0, flood.stderr
    found = json.loads(found_at.read_text())
    assert (found["events"], found["lost"], found["done"]) == (EVENTS, 0, EVENTS)
    assert 1 <= found["fetches_per_customer"] < EVENTS / CUSTOMERS
