"""The dashboard: what each role sees, and what it costs."""

import re
from datetime import timedelta

import pytest
from django.contrib import admin as django_admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orgs.models import Membership, Organization
from tests.conftest import SignIn
from tests.factories import MembershipFactory, OrganizationFactory
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


def page(client: object, organization: Organization) -> str:
    response = client.get(f"/orgs/{organization.slug}/")  # type: ignore[attr-defined] - a test client
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
    assert "canary" not in html
    assert "/settings/members/" not in html


def test_the_chart_has_a_bar_and_a_table_row_for_each_of_30_days(admin: Membership, sign_in: SignIn) -> None:
    count(admin.organization)
    html = page(sign_in(admin), admin.organization)
    chart = re.search(r"<svg class=\"chart\" role=\"img\" aria-label=\"[^\"]+3,000\">.*?</svg>", html)
    assert chart
    assert chart[0].count("<rect") == chart[0].count("<title>") == 30
    table = re.search(r"<details>.*?</details>", html)
    assert table
    assert table[0].count('<th scope="row">') == 30
    assert "style=" not in html


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


def test_the_page_takes_six_statements_whatever_the_number_of_rows(
    admin: Membership, sign_in: SignIn
) -> None:
    client = sign_in(admin)
    statements = []
    for stacks, days in ((1, 1), (25, 29)):
        count(admin.organization, stacks=stacks, days=days)
        with CaptureQueriesContext(connection) as captured:
            page(client, admin.organization)
        statements.append(len([query for query in captured if "SAVEPOINT" not in query["sql"]]))
    assert statements == [6, 6]


@pytest.mark.parametrize("model", [Stack, OrganizationHour, OrganizationDay])
def test_staff_find_stacks_and_roll_ups_in_the_admin(model: type) -> None:
    assert django_admin.site.is_registered(model)
    assert django_admin.site.get_model_admin(model).search_fields


def test_rows_with_a_composite_key_are_not_in_the_admin() -> None:
    assert not django_admin.site.is_registered(HourlyCount)
