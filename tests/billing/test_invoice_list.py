"""The list of invoices: what is searched for, filtered by and sorted, a page at a time."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from itertools import islice, product
from typing import Any

import pytest
from django.test import Client

from billing.invoice_states import InvoiceState, in_state, state_of
from billing.models import Invoice, InvoiceStatus, PaymentStatus
from billing.selectors import PAGE_SIZE, InvoiceFilter, Sort, invoice_list
from orgs.models import Membership, Organization
from tests.billing.factories import InvoiceFactory, document, line
from tests.billing.pages import billing_url, text_of
from tests.conftest import SignIn

pytestmark = pytest.mark.django_db

START = datetime(2020, 1, 1, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def client(admin: Membership, sign_in: SignIn) -> Client:
    return sign_in(admin)


def numbers_on(client: Client, url: str) -> tuple[list[str], dict[str, str]]:
    """The numbers of the invoices on a page, and where its pager leads to."""
    body = client.get(url).content.decode()
    shown = re.findall(r"invoices/[0-9a-f-]{36}/\">([^<]+)<", body)
    links = {rel: unescape(href) for href, rel in re.findall(r'href="([^"]+)"\s+rel="(prev|next)"', body)}
    return shown, links


def found_by(organization: Organization, **wanted: Any) -> set[str]:
    return {row.number for row in invoice_list(organization, InvoiceFilter(**wanted)).rows}


@pytest.mark.slow
@pytest.mark.parametrize("every", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_the_database_calls_each_invoice_what_its_page_does(every: int, organization: Organization) -> None:
    Invoice.objects.bulk_create(
        InvoiceFactory.build(
            organization=organization,
            status=status,
            payment_status=payment_status,
            due_at=due_at,
            amount_paid=amount_paid,
            total=total,
            amount_due=amount_due,
            refunded=refunded,
            credited=credited,
        )
        for status, payment_status, due_at, amount_paid, (total, amount_due), refunded, credited in islice(
            product(
                InvoiceStatus,
                PaymentStatus,
                [None, START, LATER],
                [0, 100],
                [(5825, 5825), (5825, 0), (0, 0), (-500, 0)],
                [0, 100, 5825],
                [0, 5725],
            ),
            0,
            None,
            every,
        )
    )
    called = {row.pk: state_of(row) for row in Invoice.objects.all()}
    assert set(called.values()) == set(InvoiceState)
    for state in InvoiceState:
        found = set(in_state(Invoice.objects.all(), state).values_list("pk", flat=True))
        assert found == {pk for pk, name in called.items() if name is state}, state


@pytest.mark.parametrize(
    ("search", "is_found"),
    [
        ("ACME-0001", True),
        ("me-00", True),
        ("credits", True),
        ("CONSULTING", True),
        ("4711", True),
        ("hours consulting", True),
        ("hours of nothing", False),
        ('"big"', True),
        ("big screen", True),
        ("100%", True),
        ("1%0", False),
        ("a_b", False),
        ("back\\slash", True),
        ("description", False),
        ("Müller", True),
        ("müller", True),
    ],
)
def test_a_search_is_for_words_of_the_number_a_line_or_the_note(
    search: str, is_found: bool, organization: Organization
) -> None:
    lines = [line("On-demand credits", 1), line("Consulting, 3 hours", 2), line('A "big" screen, 100%', 3)]
    InvoiceFactory(
        organization=organization,
        number="ACME-0001",
        description="PO 4711, Müller, back\\slash",
        document=document(lines),
    )
    InvoiceFactory(number="ACME-0001")
    assert found_by(organization, search=search) == ({"ACME-0001"} if is_found else set())


def test_a_year_is_that_of_the_day_on_the_document(organization: Organization) -> None:
    for day in ("2024-12-31T23:59:59", "2025-01-01T00:00:00", "2025-12-31T23:59:59", "2026-01-01T00:00:00"):
        at = datetime.fromisoformat(day).replace(tzinfo=UTC)
        InvoiceFactory(organization=organization, number=day, issued_at=at, created_at=START)
    assert found_by(organization, year=2025) == {"2025-01-01T00:00:00", "2025-12-31T23:59:59"}


@pytest.mark.parametrize("filters", ["", "search=on-demand&year=2020"])
@pytest.mark.parametrize(
    ("sort", "key"),
    [
        (Sort.NEWEST, lambda row: (-row.issued_at.timestamp(), -row.pk.int)),
        (Sort.OLDEST, lambda row: (row.issued_at.timestamp(), row.pk.int)),
        (Sort.AMOUNT, lambda row: (row.currency, -row.total, -row.pk.int)),
    ],
)
def test_every_sort_is_paged_by_key_both_ways_and_keeps_the_filters(
    sort: Sort, key: Any, filters: str, client: Client, organization: Organization
) -> None:
    made = [
        # Some share their instant and some their amount: the id decides then.
        InvoiceFactory(
            organization=organization,
            created_at=START + timedelta(days=number // 3),
            total=number % 7,
            currency="usd" if number % 5 else "eur",
        )
        for number in range(2 * PAGE_SIZE + 5)
    ]
    if filters:
        InvoiceFactory(organization=organization)
    in_order = [row.number for row in sorted(made, key=key)]
    links = {"next": billing_url(organization, f"invoices/?{filters}&sort={sort}")}
    seen: list[str] = []
    pages = 0
    while "next" in links:
        path = "" if links["next"].startswith("/") else billing_url(organization, "invoices/")
        shown, links = numbers_on(client, path + links["next"])
        seen, pages = seen + shown, pages + 1
    assert (seen, pages) == (in_order, 3)
    back = billing_url(organization, "invoices/")
    shown, links = numbers_on(client, back + links["prev"])
    assert shown == in_order[PAGE_SIZE : 2 * PAGE_SIZE]
    shown, links = numbers_on(client, back + links["prev"])
    assert shown == in_order[:PAGE_SIZE]
    assert "prev" not in links
    assert filters in links["next"]


@pytest.mark.parametrize(
    "query",
    [
        "after=x",
        "after=0b5aa2d1-6f4e-4a3e-9a52-2f4c1b9b8a11",
        "before=%01",
        "state=nonsense",
        "state=draft",
        "state=paid%01",
        "year=0",
        "year=99999999999999999999",
        "year=-1",
        "year=%C2%B2025",
        "sort=total;drop",
        "search=%01%E2%80%AE",
        "search=%FF%FE",
        "search=",
        "state=&year=&sort=",
        "sort=amount&after=x&before=y",
    ],
)
def test_what_can_t_be_meant_asks_for_nothing(query: str, client: Client, organization: Organization) -> None:
    invoice = InvoiceFactory(organization=organization)
    response = client.get(billing_url(organization, f"invoices/?{query}"))
    assert response.status_code == 200
    if "%FF" not in query:
        assert invoice.number in text_of(response)


@pytest.mark.parametrize("side", ["after", "before"])
@pytest.mark.parametrize("sort", Sort)
def test_beyond_the_last_invoice_are_the_first_ones(
    side: str, sort: Sort, client: Client, organization: Organization
) -> None:
    invoice = InvoiceFactory(organization=organization)
    response = client.get(billing_url(organization, f"invoices/?sort={sort}&{side}={invoice.pk}"))
    assert invoice.number in text_of(response)


def test_a_row_says_for_what_days_and_when_it_is_due(client: Client, organization: Organization) -> None:
    InvoiceFactory(organization=organization, number="A-1", due_at=datetime(2026, 12, 1, tzinfo=UTC))
    InvoiceFactory(organization=organization, number="A-2", billed_from=None, billed_until=None)
    text = text_of(client.get(billing_url(organization, "invoices/")))
    assert "A-1 1 October – 1 November 2026 1 December 2026 Paid $58.25" in text
    assert "A-2 1 November 2026 Paid $58.25" in text


def test_nothing_found_is_told_apart_from_nothing_there(client: Client, organization: Organization) -> None:
    url = billing_url(organization, "invoices/?state=void")
    assert "No invoices yet" in text_of(client.get(url))
    InvoiceFactory(organization=organization)
    text = text_of(client.get(url))
    assert "No invoice matches" in text
    assert "Clear filters" in text
    assert "No invoices yet" not in text


def test_the_form_shows_what_was_asked_for(client: Client, organization: Organization) -> None:
    InvoiceFactory(organization=organization)
    url = billing_url(organization, "invoices/?search=%3Cb%3E&state=paid&year=2031&sort=oldest")
    body = client.get(url).content.decode()
    assert 'value="&lt;b&gt;"' in body
    chosen = re.findall(r'<option value="([^"]+)"\s+selected', body)
    assert chosen == ["paid", "2031", "oldest"]


def test_htmx_gets_the_list_alone(client: Client, organization: Organization) -> None:
    invoice = InvoiceFactory(organization=organization)
    url = billing_url(organization, "invoices/")
    response = client.get(url, headers={"HX-Request": "true"})
    assert response.content.decode().strip().startswith("<section")
    assert invoice.number in text_of(response)
    assert "HX-Request" in response.headers["Vary"]
