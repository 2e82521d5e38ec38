"""The dashboard: what each role sees, and what it costs."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib import admin as django_admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orgs.models import Membership, Organization
from tests.conftest import SignIn
from tests.factories import MembershipFactory, OrganizationFactory
from tests.usage.rollups import count_hours, hours_from
from usage.models import HourlyCount, OrganizationDay, OrganizationHour, Stack
from usage.readings import HourlyReading
from usage.services import record_counts


def count(organization: Organization, *, stacks: int = 2, days: int = 3) -> None:
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    record_counts(
        organization_id=organization.pk,
        counts=[
            HourlyReading(
                stack=f"canary-stack-{n}", hour=now - timedelta(days=day), resources=1_000 * (n + 1)
            )
            for n in range(stacks)
            for day in range(days)
        ],
    )


def page(client: object, organization: Organization, query: str = "") -> str:
    response = client.get(f"/orgs/{organization.slug}/{query}")  # type: ignore[attr-defined] - a test client
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def fact(html: str, name: str) -> str:
    found = re.search(rf"<dt>{name}</dt> <dd class=\"figure\">(.*?)</dd>", html)
    assert found, name
    return re.sub(r"<[^>]+>", "", found[1]).strip()


def test_an_admin_sees_resources_stacks_members_and_edition(admin: Membership, sign_in: SignIn) -> None:
    count(admin.organization)
    html = page(sign_in(admin), admin.organization)
    assert fact(html, "Resources now") == "3,000"
    assert fact(html, "Average resources") == "3,000"
    assert fact(html, "Edition") == "Enterprise Growth"
    assert "in 2 stacks" in html
    assert html.index("canary-stack-1") < html.index("canary-stack-0")


def test_a_billing_manager_is_not_counted_as_a_member(
    admin: Membership, member: Membership, billing_manager: Membership, sign_in: SignIn
) -> None:
    MembershipFactory(organization=admin.organization)
    html = page(sign_in(billing_manager), admin.organization)
    assert fact(html, "Members") == "3"


def test_a_member_sees_resources_per_stack(member: Membership, sign_in: SignIn) -> None:
    count(member.organization)
    assert "canary-stack-0" in page(sign_in(member), member.organization)


def test_a_billing_manager_sees_the_summary_only(billing_manager: Membership, sign_in: SignIn) -> None:
    count(billing_manager.organization)
    html = page(sign_in(billing_manager), billing_manager.organization)
    assert fact(html, "Resources now") == "3,000"
    assert bars(html) == 30
    assert "By the end of the month, about" in html
    assert "canary" not in html
    assert "in 2 stacks" not in html
    assert "/settings/members/" not in html


def test_the_chart_has_a_bar_and_a_table_row_for_each_of_30_days(admin: Membership, sign_in: SignIn) -> None:
    count(admin.organization)
    html = page(sign_in(admin), admin.organization)
    assert bars(html) == rows(html) == 30
    assert "style=" not in html


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("?by=weekly&first=2026-03-01&last=2026-03-21", 3),
        ("?by=monthly&first=2025-12-01&last=2026-02-28", 3),
        ("?by=hourly&first=2026-03-01&last=2026-03-02", 48),
        ("?first=2026-03-01&last=2026-03-07", 7),
    ],
)
def test_the_chart_tells_the_days_that_were_chosen_in_their_periods(
    admin: Membership, sign_in: SignIn, query: str, shown: int
) -> None:
    count(admin.organization)
    html = page(sign_in(admin), admin.organization, query)
    assert bars(html) == rows(html) == shown


def test_too_many_days_are_refused_beside_the_usual_ones_of_the_same_period(
    admin: Membership, sign_in: SignIn
) -> None:
    count(admin.organization)
    html = page(sign_in(admin), admin.organization, "?by=monthly&first=2001-01-01")
    assert "By the month, choose at most 2928 days." in html
    assert bars(html) in {12, 13}


def test_the_average_is_compared_with_as_many_days_before(admin: Membership, sign_in: SignIn) -> None:
    client, organization = sign_in(admin), admin.organization
    day = datetime(2026, 3, 1, tzinfo=UTC)
    count_hours(organization, hours_from(day, 200, 5) | hours_from(day + timedelta(days=2), 150, 7))
    query = "?first=2026-03-03&last=2026-03-04"
    html = page(client, organization, query)
    assert fact(html, "Average resources") == "150"
    assert "over 2 days" in html
    assert "25% fewer than in the same time before" in html
    assert "150 resources" in html
    assert "4 March 2026: not counted" in html.replace("\xa0", " ")
    assert "nothing to compare with before" in page(client, organization, "?first=2026-03-01&last=2026-03-01")
    assert "nothing was counted" in page(client, organization, "?first=2026-03-06&last=2026-03-06")


def test_a_month_without_a_count_for_a_day_has_no_projection(admin: Membership, sign_in: SignIn) -> None:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=26)
    count_hours(admin.organization, {hour: 5})
    html = page(sign_in(admin), admin.organization)
    assert "nothing is said about the rest of the month" in html
    assert "By the end of the month" not in html


def bars(html: str) -> int:
    (chart,) = re.findall(r"<svg class=\"chart\" role=\"group\" aria-label=\"[^\"]+\">.*?</svg>", html)
    return int(chart.count('<g class="bar"'))


def rows(html: str) -> int:
    (table,) = re.findall(r"<table class=\"keep\"> <thead> <tr> <th scope=\"col\">Period.*?</tbody>", html)
    return int(table.count('<th scope="row">'))


def test_without_usage_the_page_says_why_and_what_sends_it(admin: Membership, sign_in: SignIn) -> None:
    html = page(sign_in(admin), admin.organization)
    assert "No usage yet" in html
    assert "The product reports once an hour" in html
    assert '<svg class="chart"' not in html


def test_another_organization_s_usage_stays_out(admin: Membership, sign_in: SignIn) -> None:
    other = OrganizationFactory()
    count(other)
    client = sign_in(admin)
    assert "canary" not in page(client, admin.organization)
    assert client.get(f"/orgs/{other.slug}/").status_code == 404


def test_a_stack_s_name_can_not_bring_markup(admin: Membership, sign_in: SignIn) -> None:
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    record_counts(
        organization_id=admin.organization_id,
        counts=[HourlyReading(stack="<script>alert(1)</script>", hour=now, resources=1)],
    )
    assert "<script>alert" not in page(sign_in(admin), admin.organization)


def test_the_page_takes_seven_statements_whatever_the_number_of_rows(
    admin: Membership, sign_in: SignIn
) -> None:
    client = sign_in(admin)
    statements = []
    for stacks, days in ((1, 1), (25, 29)):
        count(admin.organization, stacks=stacks, days=days)
        with CaptureQueriesContext(connection) as captured:
            page(client, admin.organization)
        statements.append(len([query for query in captured if "SAVEPOINT" not in query["sql"]]))
    assert statements == [7, 7]


@pytest.mark.parametrize("model", [Stack, OrganizationHour, OrganizationDay])
def test_staff_find_stacks_and_roll_ups_in_the_admin(model: type) -> None:
    assert django_admin.site.is_registered(model)
    assert django_admin.site.get_model_admin(model).search_fields


def test_rows_with_a_composite_key_are_not_in_the_admin() -> None:
    assert not django_admin.site.is_registered(HourlyCount)
