"""import_usage: each kind of file, its wrong lines, and a file that is broken in the middle."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from orgs.models import Organization
from usage.management.commands import import_usage
from usage.models import HourlyCount, OrganizationDay

HOUR = datetime.combine(timezone.now().date() - timedelta(days=1), datetime.min.time(), UTC)
ROWS = [("web", HOUR, 5), ("data, old", HOUR, 7), ("web", HOUR + timedelta(hours=1), 6)]
CSV = "hour,resources,stack\n" + "".join(
    f'{hour.isoformat()},{count},"{name}"\n' for name, hour, count in ROWS
)
NDJSON = "".join(
    json.dumps({"stack": name, "hour": hour.isoformat(), "resources": count}) + "\n"
    for name, hour, count in ROWS
)


def imported(organization: Organization, file: Path) -> tuple[str, str, str]:
    """What it wrote, told of errors, and ended with."""
    out, errors = StringIO(), StringIO()
    try:
        call_command("import_usage", organization.slug, str(file), stdout=out, stderr=errors)
    except CommandError as error:
        return out.getvalue(), errors.getvalue(), str(error)
    return out.getvalue(), errors.getvalue(), ""


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("usage.csv", b"\xef\xbb\xbf" + CSV.encode()),
        ("usage.ndjson", NDJSON.encode()),
        ("usage.jsonl.gz", gzip.compress(NDJSON.encode())),
        ("usage.csv.gz", gzip.compress(CSV.encode())),
    ],
    ids=["csv", "ndjson", "jsonl.gz", "csv.gz"],
)
def test_a_file_is_recorded_and_can_be_imported_again(
    organization: Organization, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, data: bytes
) -> None:
    monkeypatch.setattr(import_usage, "MOST_ROWS", 2)
    file = tmp_path / name
    file.write_bytes(data)
    out, errors, end = imported(organization, file)
    assert (errors, end) == ("", "")
    assert f"[{'#' * 30}] 100% 3 rows\nNew or greater: 3. Known already: 0. Wrong: 0.\n" in out
    assert OrganizationDay.objects.get().resource_hours == 18
    assert "New or greater: 0. Known already: 3." in imported(organization, file)[0]


def test_wrong_lines_are_told_by_their_number_and_the_others_recorded(
    organization: Organization, tmp_path: Path
) -> None:
    file = tmp_path / "usage.csv"
    file.write_text(CSV + f"{HOUR.isoformat()},-3,web\n{HOUR.isoformat()},,web\nnoon,3,web\n,,\n")
    _out, errors, end = imported(organization, file)
    assert end == "New or greater: 3. Known already: 0. Wrong: 4."
    assert [line.partition(":")[0] for line in errors.splitlines()] == [f"line {n}" for n in (5, 6, 7, 8)]
    assert HourlyCount.objects.count() == 3


def test_a_file_that_ends_too_early_is_told_with_what_is_recorded(
    organization: Organization, tmp_path: Path
) -> None:
    file = tmp_path / "usage.ndjson.gz"
    file.write_bytes(gzip.compress(NDJSON.encode())[:-12])
    assert "What came before is recorded." in imported(organization, file)[2]


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("usage.csv", b"stack,hour\nweb,1\n", "lacks resources"),
        ("usage.csv", b"stack,hour,resources\n\xff,1,1\n", "UTF-8"),
        ("usage.txt", b"", "Name the file"),
        ("none.csv", None, "can't be read"),
    ],
)
def test_what_is_no_such_file_is_told(
    organization: Organization, tmp_path: Path, name: str, data: bytes | None, says: str
) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    assert says in imported(organization, tmp_path / name)[2]


def test_an_unknown_organization_is_told(tmp_path: Path, db: None) -> None:
    assert "no organization" in imported(Organization(slug="nowhere"), tmp_path / "usage.csv")[2]
