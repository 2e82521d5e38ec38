"""The page of an invoice: a document that says all that Stripe put on it, and adds up."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from django.conf import LazySettings
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from billing.gateway.records import CustomField, Party
from billing.invoice_states import InvoiceState
from billing.models import Invoice
from orgs.currencies import in_minor_units
from orgs.models import Membership
from tests.billing.factories import (
    ADDRESS,
    BillingAccountFactory,
    InvoiceFactory,
    credit_note,
    document,
    line,
    payment,
)
from tests.billing.pages import billing_url, text_of
from tests.billing.strategies import invoices
from tests.billing.test_states import INVOICES
from tests.conftest import SignIn

pytestmark = pytest.mark.django_db

SALES_TAX = {
    "name": "Sales tax",
    "jurisdiction": "New York",
    "percentage": "16.5",
    "inclusive": False,
    "amount": 825,
    "taxable": 5000,
    "reason": "standard_rated",
}


@pytest.fixture
def client(admin: Membership, sign_in: SignIn) -> Client:
    return sign_in(admin)


class Page:
    """An organization, and what its admin reads of an invoice."""

    def __init__(self, client: Client, admin: Membership) -> None:
        self.client, self.organization = client, admin.organization

    def get(self, invoice: Invoice) -> HttpResponse:
        response = self.client.get(billing_url(self.organization, f"invoices/{invoice.pk}/"))
        assert response.status_code == 200
        return response

    def body(self, invoice: Invoice) -> str:
        return self.get(invoice).content.decode()

    def text(self, **fields: Any) -> str:
        return text_of(self.get(InvoiceFactory(organization=self.organization, **fields)))


@pytest.fixture
def page(client: Client, admin: Membership) -> Page:
    return Page(client, admin)


class Tables(HTMLParser):
    """The rows of each table by its caption: the classes of the row, and the texts of its cells."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, list[tuple[str, list[str]]]] = {}
        self.rows: list[tuple[str, list[str]]] = []
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.rows = []
        elif tag == "tr":
            self.rows.append((dict(attrs).get("class") or "", []))
        elif tag in {"caption", "td", "th"}:
            self.inside = tag
            if tag != "caption":
                self.rows[-1][1].append("")

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if self.inside == "caption":
            self.tables[text] = self.rows
        elif self.inside:
            cells = self.rows[-1][1]
            cells[-1] = f"{cells[-1]} {text}".strip()

    def handle_endtag(self, tag: str) -> None:
        if tag == self.inside:
            self.inside = ""


def amount_in(text: str, currency: str) -> int:
    return in_minor_units(Decimal(re.sub(r"[^\d.-]", "", text)), currency)


def check_sums(body: str, currency: str) -> dict[str, int]:
    """Read the amounts of a page as a person does, and add them up. Returns its results."""
    reader = Tables()
    reader.feed(body)
    lines = [amount_in(cells[-1], currency) for _kind, cells in reader.tables["What is invoiced"][1:]]
    so_far, results = sum(lines), {}
    for kind, (label, amount) in reader.tables["Sums"]:
        if "sum" in kind.split():
            results[label] = amount_in(amount, currency)
            assert results[label] == so_far, label
        elif "included in the total" not in label:
            so_far += amount_in(amount, currency)
    returned = reader.tables.get("What was given back", [])
    if len(returned) > 1:
        *parts, in_all = [amount_in(amount, currency) for _kind, (_label, amount) in returned]
        assert sum(parts) == in_all
        results["Given back"] = in_all
    return results


@pytest.mark.slow
def test_the_amounts_on_the_page_add_up_whatever_stripe_puts_on_it(page: Page) -> None:
    row = InvoiceFactory(organization=page.organization, status="open")

    @settings(max_examples=60, deadline=None, phases=[Phase.generate, Phase.shrink], database=None)
    @given(
        invoice=invoices().filter(lambda one: one["status"] != "draft"),
        currency=st.sampled_from(["usd", "jpy", "kwd", "rsd", "isk"]),
    )
    def adds_up(invoice: dict[str, Any], currency: str) -> None:
        Invoice.objects.filter(pk=row.pk).update(**invoice, currency=currency)
        results = check_sums(page.body(row), currency)
        assert results[f"Total ({currency.upper()})"] == invoice["total"]
        owed = invoice["status"] in {"open", "uncollectible"}
        assert results["Left to pay"] == (invoice["amount_remaining"] if owed else 0)

    adds_up()


GLOBEX = Party(
    name="Globex Corporation",
    address=replace(ADDRESS, line1="200 Park Avenue", postal_code="10166", city="New York", country="US"),
    tax_ids=["12-3456789"],
)


def test_it_reads_as_a_document(page: Page, settings: LazySettings) -> None:
    settings.ISSUER_NAME, settings.ISSUER_TAX_ID = "Northwind Cloud, Inc.", "EIN 84-1234567"
    settings.ISSUER_ADDRESS = ["548 Market Street", "San Francisco, CA 94104"]
    text = page.text(
        number="ACME-1",
        status="open",
        due_at=datetime(2026, 12, 1, tzinfo=UTC),
        description="Agreed in May",
        document=document(
            [line("Credits", 5000, quantity="1000")],
            taxes=[SALES_TAX],
            party=GLOBEX,
            fields=[CustomField(name="PO number", value="4500017")],
            footer="Thank you",
        ),
    )
    bill_to = "Globex Corporation 200 Park Avenue 10166 New York United States 12-3456789"
    issuer = "Northwind Cloud, Inc. 548 Market Street San Francisco, CA 94104 EIN 84-1234567"
    assert f"{issuer} Bill to {bill_to} PO number 4500017" in text
    assert "Number ACME-1 Issued 1 November 2026 Due 1 December 2026 Paid not yet" in text
    assert "Credits 1 October – 1 November 2026 1,000 $0.05 $50.00" in text
    assert (
        "Subtotal $50.00 Sales tax, New York 16.5% of $50.00 $8.25 Total (USD) $58.25 Left to pay $58.25"
        in text
    )
    assert "Agreed in May Thank you" in text


def test_without_settings_the_issuer_is_as_stripe_has_it(page: Page) -> None:
    text = page.text(document=document([line("Seats", 5825)], issuer="Northwind at Stripe"))
    assert "Northwind at Stripe Bill to Test Company" in text


def test_a_unit_price_that_would_not_lead_to_the_amount_is_not_shown(page: Page) -> None:
    package = replace(line("Packages of ten", 3000), quantity="25", unit_amount="1000")
    assert "Packages of ten 1 October – 1 November 2026 25 $30.00" in page.text(document=document([package]))


FAILED = payment(5825, status="failed", failure="insufficient_funds", at="2026-11-03T04:00:00+00:00")
DEBIT = payment(5825, status="processing", kind="sepa_debit", brand="", last4="3000")
DAY = datetime(2026, 12, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "payments", "sentence"),
    [
        (
            {"payment_status": "failed", "failure_code": "insufficient_funds", "next_attempt_at": DAY},
            [FAILED],
            "$58.25 could not be charged to Visa ending 4242 on 3 November 2026: there was not enough money "
            "in the account. Stripe tries again on 4 December 2026.",
        ),
        (
            {"payment_status": "failed", "failure_code": "made_up"},
            [],
            "$58.25 could not be charged: the bank gave no reason. Stripe does not try again by itself.",
        ),
        (
            {"payment_status": "processing"},
            [DEBIT],
            "The payment of $58.25 from SEPA debit ending 3000 is on its way. Banks take a few days. There "
            "is nothing to do.",
        ),
        (
            {"payment_status": "requires_action"},
            [replace(FAILED, status="requires_action")],
            "The payment of $58.25 waits until you confirm it with your bank.",
        ),
        ({"due_at": datetime(2026, 1, 2, tzinfo=UTC)}, [], "$58.25 was due on 2 January 2026."),
        (
            {"amount_paid": 5000, "amount_remaining": 825},
            [payment(5000)],
            "$8.25 of $58.25 is still to be paid.",
        ),
        ({"status": "uncollectible"}, [], "This invoice is written off. It can still be paid."),
        ({"status": "void"}, [], "This invoice is void. Nothing is to be paid."),
    ],
)
def test_it_says_what_became_of_a_payment(
    fields: dict[str, Any], payments: list[Any], sentence: str, page: Page
) -> None:
    paper = document([line("Seats", 5825)], payments=payments)
    assert sentence in page.text(**{"status": "open", **fields}, document=paper)


@pytest.mark.parametrize(("_words", "fields", "state", "is_owed"), INVOICES)
def test_a_payment_is_offered_where_one_can_be_made(
    _words: str, fields: dict[str, Any], state: InvoiceState, is_owed: bool, page: Page
) -> None:
    if state is InvoiceState.DRAFT:
        return
    BillingAccountFactory(organization=page.organization)
    invoice = InvoiceFactory(organization=page.organization, **fields)
    body = page.body(invoice)
    asks = state is InvoiceState.NEEDS_CONFIRMATION
    offered = is_owed or state is InvoiceState.WRITTEN_OFF
    assert (f'href="{invoice.hosted_url}"' in body) is asks
    assert (f'action="{reverse("invoice_pay", args=[page.organization.slug, invoice.pk])}"' in body) is (
        offered and not asks
    )


@pytest.mark.parametrize(
    ("paper", "paid"),
    [
        ({"payments": [payment(5825)]}, "Paid 1 November 2026, Visa ending 4242"),
        (
            {"payments": [payment(5000), payment(825, kind="", brand="", last4="", off_stripe=True)]},
            "Paid 1 November 2026, Visa ending 4242 1 November 2026, outside Stripe",
        ),
        ({"paid_off_stripe": 5825}, "Paid 1 November 2026, outside Stripe"),
        ({}, "Paid 1 November 2026 Description"),
    ],
)
def test_it_says_when_and_with_what_it_was_paid(paper: dict[str, Any], paid: str, page: Page) -> None:
    text = page.text(document=document([line("Seats", 5825)], **paper))
    assert paid in re.sub(r"What is invoiced ", "", text)


@pytest.mark.parametrize(
    ("paper", "paid"),
    [
        ({"starting_balance": -9000}, "Paid 1 November 2026, from balance"),
        ({"credited_before_payment": 5825}, "Paid 1 November 2026, by credit note"),
        ({}, "Paid 1 November 2026, carried over to the next invoice"),
    ],
)
def test_it_says_what_paid_where_no_money_did(paper: dict[str, Any], paid: str, page: Page) -> None:
    text = page.text(document=document([line("Seats", 5825)], **paper), amount_due=0, amount_paid=0)
    assert paid in text


@pytest.mark.parametrize(
    ("tax", "note"),
    [
        ({}, "Sales tax, New York 16.5% of $50.00 $8.25 Total (USD) $58.25 Left"),
        (
            {"inclusive": True},
            "Total (USD) $58.25 Sales tax, New York included in the total; 16.5% of $50.00",
        ),
        (
            {"inclusive": True, "amount": 0, "reason": "reverse_charge"},
            "Sales tax, New York reverse charge: you account for it yourselves $0.00",
        ),
        ({"taxable": None}, "Sales tax, New York 16.5% $8.25"),
        ({"jurisdiction": "", "percentage": ""}, "Sales tax $8.25"),
    ],
)
def test_a_tax_says_its_rate_and_whether_it_is_included(tax: dict[str, Any], note: str, page: Page) -> None:
    amount = 5000 if not tax.get("inclusive") else 5825
    paper = document([line("Seats", amount)], taxes=[{**SALES_TAX, **tax}])
    assert note in page.text(status="open", document=paper)


def test_refunds_and_credit_notes_stand_apart_with_their_reasons(page: Page) -> None:
    notes = [
        credit_note(1000, refunded=1000, memo="Counted twice"),
        credit_note(500, number="TEST-0001-CN-02", to_balance=400, off_stripe=100, reason="duplicate"),
    ]
    paid = [payment(5825, refunded=1300)]
    text = page.text(
        refunded=1300, document=document([line("Seats", 5825)], payments=paid, credit_notes=notes)
    )
    assert (
        "Refunds and credit notes What was given back "
        "Credit note TEST-0001-CN-01 9 November 2026; Counted twice; refunded to Visa ending 4242 $10.00 "
        "Credit note TEST-0001-CN-02 9 November 2026; invoiced twice; "
        "$4.00 credited to balance, $1.00 given back outside Stripe $5.00 "
        "Refund without a credit note refunded to Visa ending 4242 $3.00 In all $18.00"
    ) in text


def test_what_stripe_says_is_text_and_no_markup(page: Page) -> None:
    mark = "<b>&x"
    tax = {**SALES_TAX, "name": mark, "jurisdiction": mark}
    paper = document(
        [line(mark, 5825)],
        discounts=[{"name": mark, "amount": 1}],
        taxes=[tax],
        payments=[payment(5000, brand=mark, last4="<b>", refunded=5000)],
        credit_notes=[credit_note(10, number=mark, memo=mark, refunded=10)],
        issuer=mark,
        party=Party(name=mark, address=replace(ADDRESS, city=mark, country=mark), tax_ids=[mark]),
        fields=[CustomField(name=mark, value=mark)],
        footer=mark,
    )
    shown = {"number": mark, "description": mark, "currency": "<b>", "status": "paid", "refunded": 1}
    invoice = InvoiceFactory(organization=page.organization, document=paper, **shown)
    body = page.body(invoice)
    assert "<b>" not in body.lower()
    assert "&lt;b&gt;&amp;x" in body
