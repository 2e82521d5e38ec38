"""Reports of usage by the API."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.utils import timezone

from orgs.models import Organization
from orgs.policy import Permission
from tests.api.program import Program, is_problem, program_of_organization, told
from usage.models import HourlyCount, OrganizationHour, Stack
from usage.uploads import MOST_BYTES

HOUR = datetime.combine(timezone.now().date() - timedelta(days=1), datetime.min.time(), UTC)
JSON, NDJSON = "application/json", "application/x-ndjson"


@pytest.fixture
def program(organization: Organization) -> Program:
    return program_of_organization(organization, Permission.USAGE_RECORD)


def row(stack: str = "web", resources: object = 5, hour: datetime = HOUR) -> dict[str, object]:
    return {"stack": stack, "hour": hour.isoformat(), "resources": resources}


def post(
    program: Program, body: bytes, content_type: str = NDJSON, query: str = "", **headers: str
) -> HttpResponse:
    return program.client.post(
        f"/api/v1/orgs/{program.slug}/usage{query}",
        body,
        content_type=content_type,
        headers={"authorization": f"Bearer {program.secret}", **headers},
    )


def lines(*rows: dict[str, object]) -> bytes:
    return b"\n".join(json.dumps(one).encode() for one in rows)


def outcome(answer: HttpResponse) -> list[int]:
    body: dict[str, Any] = told(answer)
    return [body[name] for name in ("taken", "unchanged", "refused", "late")]


def test_a_report_can_be_sent_again_in_each_of_its_forms(program: Program) -> None:
    rows = [row("web", 5), row("data", 7), row("web", 3)]
    assert outcome(post(program, json.dumps({"counts": rows}).encode(), JSON)) == [2, 1, 0, 0]
    assert outcome(post(program, lines(*rows))) == [0, 3, 0, 0]
    packed = gzip.compress(lines(*rows, row("data", 8)))
    assert outcome(post(program, packed, **{"content-encoding": "gzip"})) == [1, 3, 0, 0]
    assert OrganizationHour.objects.get().resources == 13
    assert set(Stack.objects.values_list("name", flat=True)) == {"web", "data"}


def test_good_rows_are_recorded_beside_wrong_ones_unless_it_is_all_or_nothing(program: Program) -> None:
    body = lines(row("web"), row("web", -1)) + b"\nbroken\n"
    refused = is_problem(post(program, body, query="?all_or_nothing=true"), 422)
    assert [error["at"] for error in refused["errors"]] == ["row 2", "row 3"]
    assert not HourlyCount.objects.exists()

    answer = post(program, body)
    assert outcome(answer) == [1, 0, 2, 0]
    assert [error["row"] for error in told(answer)["errors"]] == [2, 3]
    assert outcome(post(program, lines(row("data")), query="?all_or_nothing=true")) == [1, 0, 0, 0]


@pytest.mark.parametrize(
    ("body", "content_type", "headers", "status"),
    [
        (b"{}", JSON, {}, 400),
        (b"x", "text/csv", {}, 415),
        (b"x", NDJSON, {"content-encoding": "br"}, 415),
        (b"x", NDJSON, {"content-encoding": "gzip"}, 400),
        (b"{}", NDJSON, {"content-length": ""}, 411),
        (b"\n" * (MOST_BYTES + 1), NDJSON, {}, 400),
        (gzip.compress(b"\n" * (MOST_BYTES + 1)), NDJSON, {"content-encoding": "gzip"}, 413),
    ],
    ids=["no list", "no type", "no coding", "no gzip", "no length", "too large", "bomb"],
)
def test_what_cannot_be_read_is_refused_as_a_whole(
    program: Program, body: bytes, content_type: str, headers: dict[str, str], status: int
) -> None:
    is_problem(post(program, body, content_type, **headers), status)


def test_a_report_may_be_larger_than_any_page(program: Program) -> None:
    rows = lines(*[row(f"{number:0100}") for number in range(8_000)])
    assert len(rows) > 1_000_000
    assert outcome(post(program, rows)) == [8_000, 0, 0, 0]


def test_a_closing_organization_is_counted_to_its_end(program: Program, organization: Organization) -> None:
    Organization.objects.update(closes_after=timezone.now().date())
    assert outcome(post(program, lines(row()))) == [1, 0, 0, 0]
