"""Usage as files: what the dashboard shows, by day and by stack."""

import csv
from datetime import timedelta
from io import StringIO

import pytest
from django.http import StreamingHttpResponse
from django.test import Client
from django.utils import timezone

from orgs.models import Membership
from tests.conftest import SignIn
from tests.factories import OrganizationFactory
from usage.readings import HourlyReading
from usage.services import record_counts

pytestmark = pytest.mark.django_db

TODAY = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
FORMULA = "=HYPERLINK(1)"


@pytest.fixture
def counted(member: Membership) -> Membership:
    """Two stacks on two days, and another organization's."""
    for organization in (member.organization, OrganizationFactory()):
        readings = [
            HourlyReading(stack=stack, hour=TODAY - timedelta(days=days, hours=hour), resources=resources)
            for stack, resources in (("api", 3), (FORMULA, 4))
            for days in (1, 2)
            for hour in range(3)
        ]
        record_counts(organization_id=organization.pk, counts=readings)
    return member


def file_of(client: Client, membership: Membership, name: str, query: str = "") -> list[dict[str, str]]:
    answer = client.get(f"/orgs/{membership.organization.slug}/usage/{name}.csv{query}")
    assert isinstance(answer, StreamingHttpResponse)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    return list(csv.DictReader(StringIO(answer.getvalue().decode("utf-8-sig"), newline="")))


def test_both_files_have_the_same_hours(counted: Membership, sign_in: SignIn) -> None:
    client = sign_in(counted)
    days = file_of(client, counted, "days")
    stacks = file_of(client, counted, "stacks")
    assert {name for day in days for name in day} == {
        "day_utc",
        "resource_hours",
        "hours_counted",
        "average_resources",
    }
    for day in days:
        of_day = [row for row in stacks if row["day_utc"] == day["day_utc"]]
        assert sum(int(row["resource_hours"]) for row in of_day) == int(day["resource_hours"])
        assert int(day["hours_counted"]) * 7 == int(day["resource_hours"])
        assert day["average_resources"] == "7.000"
    assert sum(int(day["resource_hours"]) for day in days) == 2 * 3 * 7
    assert [row["day_utc"] for row in stacks] == sorted(row["day_utc"] for row in stacks)


def test_a_stack_named_like_a_formula_is_a_text(counted: Membership, sign_in: SignIn) -> None:
    stacks = {row["stack"] for row in file_of(sign_in(counted), counted, "stacks")}
    assert stacks == {"api", f"'{FORMULA}"}


def test_the_days_that_were_chosen_are_in_the_file(counted: Membership, sign_in: SignIn) -> None:
    client, slug = sign_in(counted), counted.organization.slug
    day = f"{TODAY - timedelta(days=2):%Y-%m-%d}"
    query = f"by=daily&first={day}&last={day}"
    page = client.get(f"/orgs/{slug}/?{query}").content.decode().replace("&amp;", "&")
    for name in ("days", "stacks"):
        assert f'href="/orgs/{slug}/usage/{name}.csv?{query}"' in page
        assert {row["day_utc"] for row in file_of(client, counted, name, f"?{query}")} == {day}


def test_a_billing_manager_is_offered_no_stacks_and_gets_none(
    counted: Membership, billing_manager: Membership, sign_in: SignIn
) -> None:
    client, slug = sign_in(billing_manager), counted.organization.slug
    page = client.get(f"/orgs/{slug}/").content.decode()
    assert "usage/days.csv" in page
    assert "usage/stacks.csv" not in page
    assert file_of(client, counted, "days")
    assert client.get(f"/orgs/{slug}/usage/stacks.csv").status_code == 403


def test_days_that_the_dashboard_refuses_make_no_file(counted: Membership, sign_in: SignIn) -> None:
    client, slug = sign_in(counted), counted.organization.slug
    assert client.get(f"/orgs/{slug}/usage/days.csv?first=2001-01-01").status_code == 400
