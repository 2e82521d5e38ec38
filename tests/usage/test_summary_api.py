"""The summary by the API: its rows, its bounds, and what it refuses."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from bench.statements import sent_statements
from orgs.models import Membership
from orgs.policy import Permission
from tests.api.program import Program, is_problem, program_of, told
from tests.api.test_access import browser
from tests.sampling import sampled
from tests.usage.rollups import count_hours, hours_from

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 1, 2, 10, 30, tzinfo=UTC)
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def program(member: Membership, monkeypatch: pytest.MonkeyPatch) -> Program:
    """By a plain member's token, in an organization that was counted for two days: 3 and then 6 resources."""
    count_hours(
        member.organization,
        {**hours_from(NEW_YEAR - timedelta(days=1), 3, 24), **hours_from(NEW_YEAR, 6, 34)},
    )
    program = program_of(member)
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    return program


def summary(program: Program, granularity: str, span: str) -> list[dict[str, int]]:
    rows: list[dict[str, int]] = told(program.get(f"resources/summary?granularity={granularity}&{span}"))[
        "summary"
    ]
    return rows


def test_each_granularity_names_its_periods(program: Program) -> None:
    span = f"lookbackStart={int((NEW_YEAR - timedelta(days=1)).timestamp())}"
    assert summary(program, "daily", span) == [
        {"year": 2025, "month": 12, "day": 31, "resources": 3, "resourceHours": 72},
        {"year": 2026, "month": 1, "day": 1, "resources": 6, "resourceHours": 144},
        {"year": 2026, "month": 1, "day": 2, "resources": 6, "resourceHours": 60},
    ]
    assert summary(program, "weekly", span) == [
        {"year": 2025, "weekNumber": 52, "resources": 3, "resourceHours": 72},
        {"year": 2026, "weekNumber": 0, "resources": 6, "resourceHours": 204},
    ]
    assert summary(program, "monthly", span) == [
        {"year": 2025, "month": 12, "resources": 3, "resourceHours": 72},
        {"year": 2026, "month": 1, "resources": 6, "resourceHours": 204},
    ]
    assert summary(program, "yearly", span) == [
        {"year": 2025, "resources": 3, "resourceHours": 72},
        {"year": 2026, "resources": 6, "resourceHours": 204},
    ]


def test_days_back_are_counted_from_now_so_the_first_is_told_in_part(program: Program) -> None:
    assert summary(program, "daily", "lookbackDays=1") == [
        {"year": 2026, "month": 1, "day": 1, "resources": 6, "resourceHours": 13 * 6},
        {"year": 2026, "month": 1, "day": 2, "resources": 6, "resourceHours": 10 * 6},
    ]


def test_by_the_hour_two_days_are_told(program: Program) -> None:
    rows = summary(program, "hourly", "lookbackDays=2")
    assert rows[0] == {
        "year": 2025,
        "month": 12,
        "day": 31,
        "hour": 11,
        "resources": 3,
        "resourceHours": 3,
    }
    assert len(rows) == 13 + 34
    two_days_ago = int((NOW - timedelta(days=2)).timestamp())
    assert summary(program, "hourly", f"lookbackStart={two_days_ago}") == rows


def test_an_average_is_rounded_half_up(program: Program, member: Membership) -> None:
    hour = NEW_YEAR - timedelta(days=40)
    count_hours(member.organization, {hour: 2, hour + timedelta(hours=1): 3})
    assert summary(program, "daily", "lookbackDays=50")[0]["resources"] == 3


def test_nothing_counted_is_no_content(program: Program) -> None:
    start = int((NOW - timedelta(minutes=10)).timestamp())
    answer = program.get(f"resources/summary?granularity=daily&lookbackStart={start}")
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize(
    ("query", "at"),
    sampled(
        [
            ("granularity=daily", "query.lookbackDays"),
            ("granularity=daily&lookbackDays=2&lookbackStart=0", "query.lookbackStart"),
            ("lookbackDays=2", "query.granularity"),
            ("granularity=minutely&lookbackDays=2", "query.granularity"),
            ("granularity=daily&lookbackDays=0", "query.lookbackDays"),
            ("granularity=daily&lookbackDays=-1", "query.lookbackDays"),
            ("granularity=daily&lookbackDays=1.5", "query.lookbackDays"),
            ("granularity=daily&lookbackDays=36501", "query.lookbackDays"),
            ("granularity=daily&lookbackDays=", "query.lookbackDays"),
            ("granularity=daily&lookbackStart=-1", "query.lookbackStart"),
            (f"granularity=daily&lookbackStart={'9' * 40}", "query.lookbackStart"),
            ("granularity=daily&lookbackStart=2026-01-01", "query.lookbackStart"),
            (f"granularity=daily&lookbackStart={int(NOW.timestamp()) + 60}", "query.lookbackStart"),
            ("granularity=hourly&lookbackDays=3", "query.granularity"),
            (f"granularity=hourly&lookbackStart={int(NEW_YEAR.timestamp()) - 86_400}", "query.granularity"),
        ],
        every=4,
    ),
)
def test_a_wrong_question_is_told_in_one_sentence(program: Program, query: str, at: str) -> None:
    problem = is_problem(program.get(f"resources/summary?{query}"), 422)
    (error,) = problem["errors"]
    assert error["at"] == at
    assert "." not in error["message"].removesuffix(".")


def test_any_span_takes_as_many_statements(program: Program) -> None:
    taken = []
    program.get("resources/summary")
    for query in ("granularity=daily&lookbackDays=1", "granularity=yearly&lookbackDays=36500"):
        with sent_statements() as statements:
            assert program.get(f"resources/summary?{query}").status_code == 200
        taken.append(len(statements))
    assert taken[0] == taken[1] <= 4


def test_a_billing_manager_reads_it_and_a_token_needs_its_scope(
    program: Program, billing_manager: Membership, member: Membership
) -> None:
    path = "resources/summary?granularity=yearly&lookbackDays=2"
    rows = told(browser(billing_manager, member.organization.slug).get(path))
    assert rows == told(program.get(path))
    other = program_of(member, Permission.ORGANIZATION_VIEW)
    assert is_problem(other.get(path), 403)["permission"] == "rum.summary"
