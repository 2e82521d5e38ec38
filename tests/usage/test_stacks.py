"""The page of stacks, and the same by the API."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from html import unescape
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orgs.models import Membership, Organization
from orgs.policy import Permission
from tests.api.program import is_problem, program_of_organization, told
from tests.api.test_reads import all_pages
from tests.conftest import SignIn
from tests.factories import OrganizationFactory
from usage import stacks
from usage.models import Stack
from usage.readings import HourlyReading
from usage.services import record_counts
from usage.stacks import Sort, stacks_of, stacks_page
from usage.sums import counted_days

NOW = timezone.now().replace(minute=0, second=0, microsecond=0)
EARLIER = NOW - timedelta(hours=26)


def record(organization: Organization, *counts: tuple[str, datetime, int]) -> None:
    record_counts(
        organization_id=organization.pk,
        counts=[HourlyReading(stack=stack, hour=hour, resources=count) for stack, hour, count in counts],
    )


@pytest.fixture
def counted(organization: Organization) -> Organization:
    record(
        organization,
        ("web", NOW, 3),
        ("web", EARLIER, 5),
        ("Api", NOW, 12),
        ("gone", EARLIER, 7),
        ("empty", NOW, 0),
        ("old", NOW - timedelta(days=31), 900),
    )
    record(OrganizationFactory(), ("foreign", NOW, 99))
    return organization


def names(organization: Organization, **asked: str) -> list[str]:
    return [row.name for row in stacks_page(organization.pk, **asked).rows]


def test_the_largest_come_first_and_those_not_counted_now_last(counted: Organization) -> None:
    page = stacks_page(counted.pk)
    assert [(row.name, row.resources, row.average) for row in page.rows] == [
        ("Api", "12", "6.0"),
        ("web", "3", "4.0"),
        ("empty", "0", "0.0"),
        ("gone", "–", "3.5"),
        ("old", "–", "0.0"),
    ]
    assert (page.total, page.hour) == (5, NOW)
    assert {name: head.direction for name, head in page.heads.items()} == {
        "resources": "descending",
        "name": "",
    }


def test_averages_add_up_to_the_organizations(counted: Organization) -> None:
    averages = [stack.average for stack in stacks_of(counted.pk).after(0, "", most=100)]
    today = NOW.date()
    days = counted_days(counted.pk, today - timedelta(days=stacks.DAYS_AVERAGED - 1), today)
    total = Decimal(sum(day.resource_hours for day in days))
    assert sum(average or 0 for average in averages) == total / sum(day.hours_counted for day in days)


def test_stacks_are_sorted_by_name_and_found_by_a_part_of_it(counted: Organization) -> None:
    assert sorted(names(counted, sort="name")) == sorted(["Api", "empty", "gone", "old", "web"])
    by_name = names(counted, sort="name")
    assert by_name == list(
        Stack.objects.filter(organization=counted).order_by("name").values_list("name", flat=True)
    )
    assert names(counted, search="PI") == ["Api"]
    assert names(counted, search="%") == []
    assert names(counted, sort="nonsense", after="nonsense", before="99999999999~x") == names(counted)


@pytest.mark.parametrize("sort", [sort.value for sort in Sort])
def test_pages_follow_each_other_both_ways(
    organization: Organization, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    monkeypatch.setattr(stacks, "STACKS_PER_PAGE", 3)
    record(organization, *[(f"stack {number}", NOW, number % 3) for number in range(7)])
    record(organization, ("away", EARLIER, 1))
    forward = [stacks_page(organization.pk, sort=sort)]
    while forward[-1].later:
        forward.append(stacks_page(organization.pk, sort=sort, after=forward[-1].later))
    assert [len(page.rows) for page in forward] == [3, 3, 2]
    whole = [row.name for page in forward for row in page.rows]
    assert sorted(whole) == sorted([*(f"stack {number}" for number in range(7)), "away"])
    assert [
        row.name for row in stacks_page(organization.pk, sort=sort, before=forward[2].earlier).rows
    ] == whole[3:6]
    assert [
        row.name for row in stacks_page(organization.pk, sort=sort, before=forward[1].earlier).rows
    ] == whole[:3]
    assert not forward[0].earlier


def get(client: Client, organization: Organization, **asked: str) -> str:
    answer = client.get(f"{reverse('stacks', args=[organization.slug])}?{urlencode(asked)}")
    assert answer.status_code == 200
    return unescape(re.sub(r"\s+", " ", answer.content.decode()))


def test_a_member_finds_stacks_and_what_the_figures_mean(
    member: Membership, counted: Organization, sign_in: SignIn
) -> None:
    client = sign_in(member)
    page = get(client, counted)
    assert "5 stacks. Resources now are those of the last counted hour" in page
    assert '<td class="num" data-label="Now">12</td>' in page
    assert "foreign" not in page
    assert "No stack matches" in get(client, counted, search="nothing")


def test_nothing_of_it_is_a_billing_managers(
    billing_manager: Membership, counted: Organization, sign_in: SignIn
) -> None:
    client = sign_in(billing_manager)
    url = reverse("stacks", args=[counted.slug])
    assert client.get(url).status_code == 403
    assert url not in client.get(reverse("dashboard", args=[counted.slug])).content.decode()


def test_an_organization_without_stacks_is_told_when_they_come(member: Membership, sign_in: SignIn) -> None:
    assert "No stacks yet" in get(sign_in(member), member.organization)


def test_the_api_lists_them_by_name_a_page_at_a_time(counted: Organization) -> None:
    longest = "\N{WATER WAVE}" * 100
    record(counted, (longest, NOW, 1), (longest[:-1], NOW, 1))
    program = program_of_organization(counted, Permission.RUM_PER_STACK)
    rows = all_pages(program, "stacks")
    expected = Stack.objects.filter(organization=counted).order_by("name").values_list("name", flat=True)
    assert [row["name"] for row in rows] == list(expected)
    listed = told(program.get("stacks?search=api"))
    assert listed["data"] == [{"name": "Api", "label": "", "resources": 12, "average": "6.0000"}]
    assert (datetime.fromisoformat(listed["hour"]), listed["next"]) == (NOW, None)
    for wrong in ("nonsense!", "AA=="):
        is_problem(program.get(f"stacks?cursor={wrong}"), 422)
