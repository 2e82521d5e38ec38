"""From hours to cents: what the page shows of a span, and how it is reached."""

from datetime import datetime
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bench.statements import sent_statements
from credits.models import GrantKind
from orgs.models import Membership, Organization
from orgs.policy import Role
from tests.billing.factories import InvoiceFactory, document, line
from tests.billing.pages import billing_url, text_of
from tests.conftest import SignIn
from tests.credits.months import DAY, DECEMBER, HOUR, NOVEMBER, NOW, OCTOBER, settled, terms
from tests.factories import MembershipFactory, OrganizationFactory
from usage.readings import HourlyReading
from usage.services import record_counts

pytestmark = pytest.mark.django_db

# Session, person, organization with membership: what every request reads.
EVERY_REQUEST = 3
YEAR = terms(OCTOBER, OCTOBER + 365 * DAY, credits=10, kind=GrantKind.PAID, credit_price=Decimal("0.0005"))


@pytest.fixture(autouse=True)
def _in_november(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture
def client(billing_manager: Membership, sign_in: SignIn) -> Client:
    return sign_in(billing_manager)


def page(client: Client, organization: Organization, query: str = "") -> str:
    response = client.get(billing_url(organization, f"credits/{query}"))
    assert response.status_code == 200
    return text_of(response)


def since(at: datetime) -> str:
    return f"?since={at:%Y-%m-%dT%H:%M:%SZ}"


def test_a_month_leads_from_its_hours_to_the_cent(client: Client, organization: Organization) -> None:
    settled(organization, {NOVEMBER: 100, NOVEMBER + HOUR: 50, NOVEMBER + DAY: 70_071}, terms(credits=200))
    shown = page(client, organization)
    assert "1 November – 1 December 2026 · Team Growth · counted until 20 November 2026, 12:00 UTC" in shown
    # 17.50525 dollars.
    assert (
        "Credits used The sum of the days below 70,221 From free and prepaid credits −200 On demand 70,021"
        " At $0.00025 each $17.50525 Before tax Rounded once, half a cent up $17.51"
    ) in shown
    assert "Not invoiced yet." in shown
    assert "Free credits 1 November – 1 December 2026 200 0 200 0 0 Together 200 0 200 0 0" in shown
    assert "1 November 2026 2 × 75 150 150 0 2 November 2026 1 × 70,071 70,071 50 70,021" in shown
    assert "Together 70,221 200 70,021" in shown


def test_a_day_opens_to_its_hours(client: Client, organization: Organization) -> None:
    settled(organization, {NOVEMBER: 100, NOVEMBER + HOUR: 150, NOVEMBER + DAY: 3}, terms(credits=200))
    shown = page(client, organization, f"{since(NOVEMBER)}&day=2026-11-01")
    assert "00:00 1 × 100 100 100 0 01:00 1 × 150 150 100 50 2 November 2026" in shown
    assert "01:00" not in page(client, organization)
    for unknown in ("2026-11-09", "x", "9999-12-31"):
        assert "01:00" not in page(client, organization, f"?day={unknown}")


def test_late_hours_are_marked_where_they_count_and_where_they_were(
    client: Client, organization: Organization
) -> None:
    settled(organization, {OCTOBER: 5}, terms(OCTOBER, NOVEMBER), terms())
    settled(organization, {OCTOBER: 7})
    shown = page(client, organization, f"{since(NOVEMBER)}&day=2026-10-01")
    assert "The sum of the days below · 2 of hours before, counted late 2" in shown
    assert "1 October 2026 2 counted late 1 × 2 2 2 0 00:00 Counted late 1 × 2 2 2 0" in shown
    shown = page(client, organization, f"{since(OCTOBER)}&day=2026-10-01")
    assert "00:00 2 counted since, invoiced with later hours 1 × 5 5 5 0" in shown


def test_a_year_has_its_months_and_each_its_days(client: Client, organization: Organization) -> None:
    for _again in range(2):
        settled(organization, {OCTOBER: 11, NOVEMBER: 2}, YEAR)
    shown = page(client, organization)
    assert (
        "1 October – 1 November 2026 11 10 1 $0.00 – 1 November – 1 December 2026 2 0 2 $0.00 –"
        " Together 13 10 3 $0.00"
    ) in shown
    assert "1 November 2026 1 × 2 2 0 2" in shown
    assert "1 October 2026 1 × 11" not in shown
    shown = page(client, organization, since(OCTOBER + DAY))
    assert "1 October 2026 1 × 11 11 10 1" in shown
    assert "Nothing of it changes any more." in shown


def test_a_line_of_an_invoice_leads_to_its_hours_and_they_lead_back(
    client: Client, organization: Organization
) -> None:
    settled(organization, {OCTOBER: 60_010}, YEAR)
    billed = {**vars(line("On-demand credits", 3_000)), "credits_since": OCTOBER.isoformat()}
    lines = document([line("Enterprise Growth", 600_000)])
    lines["lines"] += [billed, {**billed, "credits_since": "somewhen"}]
    invoice = InvoiceFactory(organization=organization, document=lines, created_at=NOVEMBER + DAY)
    html = client.get(reverse("invoice", args=[organization.slug, invoice.pk])).content.decode()
    assert html.count("See the hours") == 2
    assert 'credits/?since=2026-10-01T00%3A00%3A00%2B00%3A00"' in html
    shown = page(client, organization, "?since=2026-10-01T00%3A00%3A00%2B00%3A00")
    assert f"Invoice {invoice.number} From credits to the cent" in shown
    assert f"1 October – 1 November 2026 60,010 10 60,000 $30.00 {invoice.number}" in shown


def test_periods_lead_to_the_one_before_and_after(client: Client, organization: Organization) -> None:
    settled(organization, {OCTOBER: 5}, terms(OCTOBER, NOVEMBER), terms())
    html = client.get(billing_url(organization, "credits/")).content.decode()
    assert 'href="?since=2026-10-01T00:00:00Z"' in html
    assert "Next period" not in html
    html = client.get(billing_url(organization, f"credits/{since(OCTOBER)}")).content.decode()
    assert 'href="?since=2026-11-01T00:00:00Z"' in html
    assert "Period before" not in html


@pytest.mark.parametrize(
    "query", ["?since=x", "?since=2026-11-01", "?since=9999-12-31T23:59:59-14:00", "?since="]
)
def test_an_address_that_cant_be_read_shows_the_latest(
    query: str, client: Client, organization: Organization
) -> None:
    settled(organization, {NOVEMBER: 5}, terms())
    assert "1 November 2026 1 × 5" in page(client, organization, query)


@pytest.mark.parametrize("at", [OCTOBER, DECEMBER, datetime.min.replace(tzinfo=NOW.tzinfo)])
def test_where_no_credits_were_counted_there_is_no_page(
    at: datetime, client: Client, organization: Organization
) -> None:
    settled(organization, {NOVEMBER: 5}, terms())
    assert client.get(billing_url(organization, "credits/"), {"since": at.isoformat()}).status_code == 404


def test_before_anything_is_counted_it_says_so(client: Client, organization: Organization) -> None:
    assert "No credits counted yet" in page(client, organization)


@pytest.mark.parametrize("role", [Role.BILLING_MANAGER, Role.BILLING_VIEWER, Role.ADMIN])
def test_nobody_reads_the_name_of_a_stack_or_of_another_organizations_hours(
    role: Role, organization: Organization, sign_in: SignIn
) -> None:
    person = MembershipFactory(organization=organization, role=role)
    reading = HourlyReading(stack="secret-stack", hour=NOVEMBER, resources=5)
    record_counts(organization_id=organization.pk, counts=[reading])
    other = OrganizationFactory()
    settled(other, {NOVEMBER: 77_777}, terms())
    settled(organization, {}, terms())
    shown = page(sign_in(person), organization, f"{since(NOVEMBER)}&day=2026-11-01")
    assert "00:00 1 × 5 5 5 0" in shown
    assert "secret-stack" not in shown
    assert "77,777" not in shown


def test_the_page_takes_as_many_statements_for_an_hour_as_for_a_month(
    client: Client, organization: Organization
) -> None:
    numbers = []
    for hours in (1, 400):
        settled(organization, {NOVEMBER + number * HOUR: 5 for number in range(hours)}, terms())
        InvoiceFactory(organization=organization, created_at=NOVEMBER)
        with sent_statements() as statements:
            page(client, organization, "?day=2026-11-01")
        numbers.append(len(statements))
    assert numbers == [EVERY_REQUEST + 4] * 2
