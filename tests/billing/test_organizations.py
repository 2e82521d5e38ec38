"""The list of one's organizations: trouble first, sums by currency, sorted and searched by its address."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from billing.selectors import organizations
from billing.selectors.customers import Customer, customers_of
from orgs.models import Membership, Organization
from orgs.policy import Role
from orgs.selectors import latest_memberships
from tests.billing.factories import BillingAccountFactory, InvoiceFactory, SubscriptionFactory, document, line
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory
from tests.invitations.pages import text
from tests.world import signed_in

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
EVERY_REQUEST, A_PAGE = 2, 8
ROW = re.compile(r"<tr>.*?</tr>", re.DOTALL)
Place = Callable[..., Organization]


@pytest.fixture(autouse=True)
def _late_november(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture
def bookkeeper() -> User:
    return UserFactory()


@pytest.fixture
def client(bookkeeper: User) -> Client:
    return signed_in(bookkeeper)


def preview(at: datetime, amount: int, currency: str = "usd") -> dict[str, Any]:
    return {
        "missing": "",
        "currency": currency,
        "at": at.isoformat(),
        "total": amount,
        "amount_due": amount,
        "document": document([line("Team Pro", amount)]),
    }


@pytest.fixture
def customer(bookkeeper: User) -> Place:
    """Founds an organization that the bookkeeper pays for, with a charge in so many days."""

    def found(
        name: str, *, days: int | None = None, amount: int = 5_000, currency: str = "usd", card: bool = True
    ) -> Organization:
        organization: Organization = OrganizationFactory(name=name)
        MembershipFactory(organization=organization, user=bookkeeper, role=Role.BILLING_MANAGER)
        if card:
            BillingAccountFactory(organization=organization)
        if days is not None:
            coming = preview(NOW + timedelta(days=days), amount, currency)
            SubscriptionFactory(organization=organization, currency=currency, preview=coming)
        return organization

    return found


def names(client: Client, query: str = "") -> list[str]:
    page = client.get(f"/orgs/{query}").content.decode()
    return re.findall(r"<td>\s*<a[^>]*>([^<]*)</a>", page)


def row_of(client: Client, name: str) -> str:
    page = client.get("/orgs/").content.decode()
    (found,) = [row for row in ROW.findall(page) if name in row]
    return " ".join(re.sub(r"<[^>]*>", " ", found).split())


def unpaid(organization: Organization, **fields: Any) -> None:
    InvoiceFactory(organization=organization, status="open", **fields)


def test_trouble_comes_first_then_what_is_charged_soonest(client: Client, customer: Place) -> None:
    customer("Calm later", days=20)
    customer("Calm soon", days=3)
    customer("Nothing to come")
    customer("No card", days=9, card=False)
    unpaid(customer("Failed", days=30), payment_status="failed")
    assert names(client) == ["Failed", "No card", "Calm soon", "Calm later", "Nothing to come"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?sort=name", ["Ada", "bern", "Cy"]),
        ("?sort=-name", ["Cy", "bern", "Ada"]),
        ("?sort=charge", ["Cy", "bern", "Ada"]),
        ("?sort=overdue", ["Ada", "bern", "Cy"]),
        ("?sort=-state", ["Cy", "bern", "Ada"]),
        ("?sort=nonsense&shown=x", ["Ada", "bern", "Cy"]),
        ("?search=ER", ["bern"]),
        ("?show=attention", ["Ada", "bern"]),
        ("?show=attention&search=c", []),
    ],
)
def test_it_is_sorted_and_searched_by_its_address(
    query: str, expected: list[str], client: Client, customer: Place
) -> None:
    unpaid(customer("Ada", days=9), payment_status="failed")
    customer("bern", days=5, card=False)
    customer("Cy", days=1)
    assert names(client, query) == expected


def test_the_head_that_sorts_says_so_and_leads_to_the_other_direction(
    client: Client, customer: Place
) -> None:
    customer("Ada", days=9)
    for query, direction, turned in (
        ("", "descending", "?sort=-state"),
        ("?sort=-state", "ascending", "?sort=state"),
        ("?sort=name", "ascending", "?sort=-name"),
        ("?sort=overdue", "descending", "?sort=-overdue"),
    ):
        page = client.get(f"/orgs/{query}").content.decode()
        (sorted_by,) = re.findall(r'aria-sort="(\w+)">\s*<a class="sort"\s+href="([^"]*)"', page)
        assert sorted_by == (direction, turned)


@pytest.mark.parametrize(
    ("invoice", "told"),
    [
        ({"payment_status": "failed"}, "Payment failed 1 November 2026"),
        ({"payment_status": "requires_action"}, "Confirmation needed 1 November 2026"),
        ({"due_at": NOW - timedelta(days=1)}, "Overdue 1 November 2026"),
        ({"due_at": NOW + timedelta(days=8)}, "Payment due $58.25 by 3 December 2026"),
        ({"payment_status": "processing"}, "Payment on its way $58.25"),
        ({"amount_paid": 1_000, "amount_remaining": 4_825}, "Partly paid $48.25"),
        ({}, "Payment due $58.25"),
    ],
)
def test_an_unpaid_invoice_is_told_by_its_state(
    invoice: dict[str, Any], told: str, client: Client, customer: Place
) -> None:
    unpaid(customer("Acme", days=9), **invoice)
    row = row_of(client, "Acme").replace("\N{NO-BREAK SPACE}", " ")
    assert told in row
    late = told.startswith(("Payment failed", "Confirmation", "Overdue"))
    assert row.endswith(f"on 4 December 2026 {'$58.25' if late else '–'} Leave Acme")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"status": "past_due"}, "Payment overdue"),
        ({"status": "unpaid"}, "Unpaid"),
        ({"status": "paused"}, "Paused"),
        ({"pause_behavior": "void"}, "Collection paused"),
        ({"status": "trialing"}, "All paid"),
        ({"status": "of the future"}, "Unknown"),
        ({"cancel_at": datetime(2026, 12, 5, tzinfo=UTC)}, "Ends 5 December 2026"),
        ({"status": "canceled"}, "No subscription"),
    ],
)
def test_a_subscription_is_told_by_its_state(
    fields: dict[str, Any], told: str, client: Client, customer: Place
) -> None:
    SubscriptionFactory(organization=customer("Acme"), **fields)
    customer("Beside", days=1)
    assert told in row_of(client, "Acme").replace("\N{NO-BREAK SPACE}", " ")


YEARS = [(2026, "Card expiring"), (2025, "Card expired"), (2030, "All paid")]


@pytest.mark.parametrize(("year", "told"), YEARS)
def test_a_card_that_expires_is_told(year: int, told: str, client: Client, customer: Place) -> None:
    organization = customer("Acme", days=9, card=False)
    BillingAccountFactory(organization=organization, card_exp_year=year, card_exp_month=11)
    assert told in row_of(client, "Acme")


def test_the_sums_are_by_currency_and_of_all(client: Client, customer: Place) -> None:
    unpaid(customer("A", days=3, amount=5_000), payment_status="failed")
    unpaid(customer("B", days=6, amount=700), due_at=NOW - timedelta(days=1))
    customer("C", days=20, amount=1_000)
    customer("D", days=2, amount=900, currency="eur")
    unpaid(customer("E", days=90, amount=99_999), due_at=NOW + timedelta(days=9))
    page = text(client.get("/orgs/?search=nothing+like+this"))
    facts = re.sub(r"<[^>]*>|\s+", " ", page[page.index('<dl class="facts"') : page.index("</dl>")])
    assert " ".join(facts.split()) == (
        "Overdue $116.50 in 2 organizations "
        "Next charges within 7 days €9.00 $57.00 in 3 organizations "
        "Next charges within 30 days €9.00 $67.00 in 4 organizations"
    )


def test_a_sum_that_lacks_a_figure_says_so(client: Client, customer: Place) -> None:
    customer("A", days=3, amount=5_000)
    customer("B", days=3, amount=0)
    SubscriptionFactory(organization=customer("C"), preview=None)
    page = text(client.get("/orgs/"))
    assert page.count("the amount is not known in 1 organization") == 2
    assert "Not known" in row_of(client, "C")


def test_a_member_sees_nothing_of_an_organizations_money(bookkeeper: User, client: Client) -> None:
    organization = OrganizationFactory(name="Acme")
    MembershipFactory(organization=organization, user=bookkeeper, role=Role.MEMBER)
    BillingAccountFactory(organization=organization)
    SubscriptionFactory(organization=organization)
    unpaid(organization, payment_status="failed")
    page = text(client.get("/orgs/"))
    assert "Acme" in page
    for word in ("$", "Payment", "Next charge", "Overdue", "Needs attention"):
        assert word not in page


def test_where_each_role_begins_is_where_the_name_leads(bookkeeper: User, client: Client) -> None:
    for role, path in ((Role.ADMIN, ""), (Role.BILLING_MANAGER, "settings/billing/")):
        slug = MembershipFactory(user=bookkeeper, role=role).organization.slug
        assert f'href="/orgs/{slug}/{path}"' in client.get("/orgs/").content.decode()


def test_names_are_escaped_and_may_hold_percent_signs(client: Client, customer: Place) -> None:
    customer("100 % <b>Acme</b> %(slug)s", days=1)
    customer("100 % sure", days=2)
    page = client.get("/orgs/").content.decode()
    assert "100 % &lt;b&gt;Acme&lt;/b&gt; %(slug)s" in page
    assert "100 % sure" in page


def test_more_than_a_page_are_shown_when_asked_for(
    client: Client, customer: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(organizations, "SHOWN_AT_ONCE", 2)
    for number in range(3):
        customer(f"Acme {number}", days=1)
    assert len(names(client, "?shown=2")) == 2
    assert "?shown=4" in client.get("/orgs/?shown=2").content.decode()
    assert len(names(client, "?shown=4")) == 3
    assert "shown=" not in client.get("/orgs/?shown=4").content.decode()


def test_search_appears_where_there_is_something_to_search(client: Client, customer: Place) -> None:
    for number in range(organizations.WORTH_SEARCHING):
        assert ('type="search"' in client.get("/orgs/").content.decode()) is False
        customer(f"Acme {number}", days=1)
    assert 'type="search"' in client.get("/orgs/").content.decode()


@pytest.fixture
def _more_than_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more than two organizations a part is read, one at a time."""
    monkeypatch.setattr(organizations, "FEW_MEMBERSHIPS", 2)
    monkeypatch.setattr(organizations, "PART", 1)


@pytest.mark.usefixtures("_more_than_a_few")
class TestOfMoreThanAFew:
    @pytest.fixture(autouse=True)
    def _three(self, customer: Place) -> None:
        for number, name in enumerate(("Ada", "Bern", "Cy")):
            organization, joined_at = customer(name, days=3), NOW + timedelta(minutes=number)
            Membership.objects.for_org(organization).update(joined_at=joined_at)
            if name == "Ada":
                unpaid(organization, payment_status="failed")

    def test_the_latest_are_shown_in_parts_without_sums_of_all(self, client: Client) -> None:
        shown, address = [], ""
        while address is not None:
            page = client.get(f"/orgs/{address}").content.decode()
            assert '<dl class="facts"' not in page
            shown.append(*names(client, address))
            older = re.search(r'href="([^"]*)"\s*rel="next"', page)
            address = unescape(older[1]) if older else None
        assert shown == ["Cy", "Bern", "Ada"]
        newer = re.search(r'href="([^"]*)"\s*rel="prev"', page)
        assert newer is not None
        assert names(client, unescape(newer[1])) == ["Bern"]

    def test_each_tells_how_it_stands(self, client: Client) -> None:
        assert "Payment failed" in text(client.get("/orgs/?search=ada"))

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("?search=ER", ["Bern"]),
            ("?search=100%25", []),
            ("?show=attention", ["Ada"]),
            ("?sort=state", ["Ada", "Bern", "Cy"]),
            ("?sort=-name&after=2026-11-25T12:00:00%2B00:00~x", ["Cy", "Bern", "Ada"]),
            ("?after=nonsense", ["Cy"]),
        ],
    )
    def test_all_are_read_where_only_all_can_tell(
        self, query: str, expected: list[str], client: Client
    ) -> None:
        assert names(client, query) == expected

    def test_a_link_adds_up_all(self, client: Client) -> None:
        page = client.get("/orgs/").content.decode()
        assert re.search(r'href="\?sort=state">Add up all</a>', page)
        assert '<dl class="facts"' in client.get("/orgs/?sort=state").content.decode()

    def test_a_member_sees_nothing_of_money(self, client: Client, bookkeeper: User) -> None:
        Membership.objects.filter(user=bookkeeper).update(role=Role.MEMBER)
        page = text(client.get("/orgs/?search=ada"))
        for word in ("$", "Payment failed", "Next charge", "Overdue"):
            assert word not in page


@pytest.mark.parametrize("many", [1, 30])
def test_the_list_takes_few_statements_however_many_there_are(
    many: int, client: Client, customer: Place, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(many):
        organization = customer(f"Acme {number}", days=1)
        SubscriptionFactory(organization=organization)
        unpaid(organization, payment_status="failed")
    with django_assert_max_num_queries(EVERY_REQUEST + A_PAGE):
        assert len(names(client)) == many


def test_many_unpaid_invoices_of_an_organization_are_one_row_of_each_state(
    bookkeeper: User, customer: Place
) -> None:
    organization = customer("Acme", days=1)
    for _number in range(5):
        unpaid(organization, payment_status="failed")
    (found,) = customers_of(bookkeeper.pk, latest_memberships(bookkeeper.pk))
    assert isinstance(found, Customer)
    assert found.overdue_amounts == [("usd", 5 * 5825)]
