"""Whatever goes wrong below /api/ is a problem, as RFC 9457 has it."""

import json

import pytest
from django.test import Client

from orgs.models import Membership
from tests.api.program import is_problem, program_of

pytestmark = pytest.mark.django_db


def test_an_unknown_address(admin: Membership) -> None:
    for path in ("/api/", "/api/v1/", "/api/v2/orgs", "/api/v1/orgs/x/nothing"):
        is_problem(Client().get(path), 404)


def test_a_method_that_is_not_allowed(admin: Membership) -> None:
    answer = program_of(admin).ask("PUT", "members", {})
    is_problem(answer, 405)
    assert answer.headers["Allow"] == "GET"


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"x"', "\\ud800"])
def test_a_body_that_is_none(admin: Membership, body: str) -> None:
    answer = program_of(admin).post("invitations", body)
    assert answer.status_code in {400, 422}
    is_problem(answer, answer.status_code)


def test_a_body_of_another_type(admin: Membership) -> None:
    program = program_of(admin)
    url = f"/api/v1/orgs/{program.slug}/invitations"
    answer = program.client.post(
        url, {"email": "x@example.test"}, headers={"authorization": f"Bearer {program.secret}"}
    )
    is_problem(answer, 415)


def test_what_is_wrong_is_told_by_its_place(admin: Membership) -> None:
    program = program_of(admin)
    problem = is_problem(program.post("invitations", {"email": 7, "role": "admin"}), 422)
    assert {error["at"] for error in problem["errors"]} == {"body.email", "body.role"}
    assert all(error["message"] for error in problem["errors"])
    problem = is_problem(program.get("members?limit=0"), 422)
    assert [error["at"] for error in problem["errors"]] == ["query.limit"]


@pytest.mark.parametrize("path", ["members", "invitations", "audit-events", "billing/invoices"])
@pytest.mark.parametrize(
    "cursor", ["x", "bnVsbA==", "WzEsMl0=", "W1siYSJdLCAxXQ==", "-1", "9" * 30, "٣", "e30="]
)
def test_a_cursor_of_nobodys(admin: Membership, path: str, cursor: str) -> None:
    is_problem(program_of(admin).get(f"{path}?cursor={cursor}"), 422)


def test_a_large_body(admin: Membership) -> None:
    answer = program_of(admin).post("invitations", json.dumps({"email": "x" * 1_000_001}))
    is_problem(answer, 400)


def test_a_nul_in_the_address(admin: Membership) -> None:
    is_problem(program_of(admin).get("audit-events?action=%00"), 400)


def test_a_crash_tells_nothing(admin: Membership, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_args: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("api.organizations._told", crash)
    answer = program_of(admin).get("")
    is_problem(answer, 500)
    assert b"secret" not in answer.content


def test_pages_keep_their_own_errors(admin: Membership) -> None:
    assert "text/html" in Client().get("/nothing").headers["Content-Type"]
