"""The README names what is simulated, and nothing else."""

import re
from pathlib import Path

from stripe_simulator import api, endpoints

README = Path(__file__).parents[1] / "README.md"


def test_readme_names_every_endpoint() -> None:
    assert api.RESOURCES, "importing them registers their endpoints"
    section = README.read_text().partition("## What it simulates")[2].partition("With them")[0]
    rows = re.findall(r"^\| `([\w.]+)` \| (.+) \|$", section, re.MULTILINE)
    named = [f"{service}.{verb}" for service, verbs in rows for verb in re.findall(r"`([a-z_]+)`", verbs)]
    assert sorted(named) == sorted(endpoint.call for endpoint in endpoints.ENDPOINTS)
