"""*Cost by label*: parts of what the ledger says, for those who see billing and no stacks."""

import pytest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from billing.selectors.label_costs import label_costs_page
from credits.services.periods import follow_terms, stop_counting
from credits.services.settling import settle
from orgs.models import Membership, Organization
from orgs.policy import Role
from tests.api.test_access import QUERIES, TABLE, browser
from tests.billing.pages import billing_url, text_of
from tests.conftest import SignIn
from tests.credits.months import DECEMBER, HOUR, NOVEMBER, NOW, OCTOBER, terms
from tests.factories import MembershipFactory, OrganizationFactory
from tests.test_access import INSIDE
from usage.labels import label_stacks
from usage.readings import HourlyReading
from usage.services import record_counts

pytestmark = pytest.mark.django_db
SECRET = "stack-that-nobody-in-billing-knows"


@pytest.fixture(autouse=True)
def _in_november(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture
def organization() -> Organization:
    organization = OrganizationFactory(edition_code="team-growth")
    for since, until in ((OCTOBER, NOVEMBER), (NOVEMBER, DECEMBER)):
        follow_terms(organization_id=organization.pk, terms=terms(since, until))
    hours = [
        HourlyReading(stack=stack, hour=NOVEMBER + number * HOUR, resources=resources)
        for number in range(3)
        for stack, resources in ((SECRET, 50_001), ("web", 30_000), ("data", 7))
    ]
    record_counts(organization_id=organization.pk, counts=hours)
    admin = MembershipFactory(organization=organization, role=Role.ADMIN)
    label_stacks(actor=admin, names=[SECRET], label="Shop")
    label_stacks(actor=admin, names=["web"], label="Ops")
    settle(organization_id=organization.pk, until=NOW)
    return organization


@pytest.fixture
def manager(organization: Organization) -> Membership:
    return MembershipFactory(organization=organization, role=Role.BILLING_MANAGER)


def test_rows_add_up_to_the_ledger(organization: Organization) -> None:
    page = label_costs_page(organization)
    assert [(row.label, row.credits, str(row.share), row.cost) for row in page.rows] == [
        ("Shop", 150_003, "62.5", 1407),
        ("Ops", 90_000, "37.5", 844),
        ("", 21, "0.0", 0),
    ]
    assert page.period is not None
    assert sum(row.credits for row in page.rows) == page.period.consumed
    assert sum(row.cost for row in page.rows) == page.period.cost
    assert sum(row.share for row in page.rows) == 100


def test_the_page_shows_a_period_and_the_way_to_the_one_before(
    organization: Organization, manager: Membership, sign_in: SignIn
) -> None:
    client, url = sign_in(manager), billing_url(organization, "labels/")
    text = text_of(client.get(url))
    assert "Shop 150,003 62.5% $14.07 Ops 90,000 37.5% $8.44 No label 21 0.0% $0.00" in text
    assert "Total 240,024 100.0% $22.51" in text
    earlier = client.get(url, {"at": label_costs_page(organization).earlier})
    assert "1 October 2026 – 1 November 2026" in text_of(earlier)
    assert label_costs_page(organization, at=OCTOBER).earlier == "", "nothing was counted before"
    stop_counting(organization_id=organization.pk, edition_code="team-pro")
    assert "Total 240,024 100.0% $22.51" in text_of(client.get(url))
    for wrong in ("x", "0001-01-01", "9999-12-31T23:59:59", "2026-02-30"):
        assert client.get(url, {"at": wrong}).status_code == 200


@pytest.mark.slow
def test_a_billing_manager_meets_no_stack_on_any_page_nor_in_any_answer(
    organization: Organization, manager: Membership, sign_in: SignIn
) -> None:
    client = sign_in(manager)
    pages = [
        reverse_of(name, organization)
        for name, row in INSIDE.items()
        if Role.BILLING_MANAGER in (row.get or ())
    ]
    seen = [b"".join(client.get(url)) for url in pages if url]
    assert len(seen) > 10
    program = browser(manager, organization.slug)
    paths = [name.partition(" ")[2] for name in TABLE if name.startswith("GET") and "{" not in name]
    seen += [b"".join(program.get(path + QUERIES.get(path, ""))) for path in paths]
    assert any(b"Shop" in content for content in seen)
    assert not [content for content in seen if SECRET.encode() in content]


def reverse_of(name: str, organization: Organization) -> str:
    """Empty where the page is about one thing more."""
    try:
        return reverse(name, args=[organization.slug])
    except NoReverseMatch:
        return ""
