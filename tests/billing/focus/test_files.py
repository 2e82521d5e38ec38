"""The files as people download them: what is in them, of which months, and what it adds up to."""

from collections import defaultdict
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.http import StreamingHttpResponse
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.statements import sent_statements
from billing.focus.columns import Dataset
from billing.focus.files import Export
from billing.focus.months import Months
from billing.models import Invoice
from credits.models import GrantKind
from credits.services.periods import follow_terms
from credits.services.settling import settle
from orgs.currencies import in_major_units
from orgs.models import Membership, Organization
from orgs.policy import Role
from tests.billing.factories import BillingAccountFactory, InvoiceFactory, credit_note, document, line
from tests.billing.focus.spec import faults_of, number, read
from tests.billing.strategies import invoices
from tests.conftest import SignIn
from tests.credits.months import DAY, DECEMBER, HOUR, NOVEMBER, NOW, OCTOBER, count, grant, terms
from tests.factories import MembershipFactory, OrganizationFactory

pytestmark = pytest.mark.django_db

Records = list[dict[str, str | None]]
MONTHS = Months(date(2026, 10, 1), date(2026, 12, 1))
PRICE = Decimal("0.00025")


def records_of(organization: Organization, dataset: Dataset, months: Months = MONTHS) -> Records:
    """Those of a file that is as the specification asks."""
    records = read("".join(Export(organization, months).file(dataset)))
    assert faults_of(dataset.value, records) == []
    return records


def charged(organization: Organization, months: Months = MONTHS) -> Records:
    return records_of(organization, Dataset.COST_AND_USAGE, months)


def billed_by(records: Records, name: str) -> dict[str | None, Decimal]:
    sums: dict[str | None, Decimal] = defaultdict(Decimal)
    for record in records:
        sums[record[name]] += number(record, "BilledCost")
    return dict(sums)


@pytest.mark.slow
@settings(max_examples=15, suppress_health_check=list(HealthCheck), deadline=None)
@given(drawn=st.lists(st.tuples(invoices(), st.sampled_from(["usd", "eur", "jpy", "kwd"])), max_size=12))
def test_each_invoice_and_credit_note_adds_up_in_both_files(drawn: list[tuple[dict[str, Any], str]]) -> None:
    """Paid, open, void, uncollectible; drafts are in neither."""
    organization = OrganizationFactory()
    stored = [InvoiceFactory(organization=organization, currency=currency, **one) for one, currency in drawn]
    expected: dict[str | None, Decimal] = {}
    for invoice in stored:
        if invoice.status == "draft":
            continue
        expected[str(invoice)] = in_major_units(invoice.total, invoice.currency)
        for number_, note in enumerate(invoice.document["credit_notes"], 1):
            note["number"] = f"{invoice}-CN-{number_}"
            expected[note["number"]] = in_major_units(-note["amount"], invoice.currency)
        invoice.save()
    of_nothing = {document for document, total in expected.items() if not total}
    for dataset in (Dataset.COST_AND_USAGE, Dataset.INVOICE_DETAIL):
        billed = billed_by(records_of(organization, dataset), "InvoiceId")
        assert {**dict.fromkeys(of_nothing, Decimal()), **billed} == expected


def test_the_items_of_both_files_are_the_same(organization: Organization) -> None:
    lines = [line("Seats", 10_000, quantity="10"), line("Setup", 500)]
    tax = {"name": "VAT", "jurisdiction": "", "percentage": "19", "inclusive": False, "amount": 1805}
    InvoiceFactory(
        organization=organization,
        total=11_305,
        document=document(
            lines,
            discounts=[{"name": "Partner", "amount": 1000}],
            taxes=[{**tax, "taxable": 9500, "reason": ""}],
        ),
    )
    items = records_of(organization, Dataset.INVOICE_DETAIL)
    assert [(one["InvoiceDetailId"], one["ChargeCategory"], one["BilledCost"]) for one in items] == [
        ("line-1", "Purchase", "100"),
        ("line-2", "Purchase", "5"),
        ("discount-1", "Credit", "-10"),
        ("tax-2", "Tax", "18.05"),
    ]
    charges = charged(organization)
    assert billed_by(charges, "InvoiceDetailId") == billed_by(items, "InvoiceDetailId")
    assert [one["ChargeDescription"] for one in charges] == ["Seats", "Setup", "Partner", "VAT 19%"]
    assert (charges[0]["PricingQuantity"], charges[0]["ListUnitPrice"]) == ("10", "10")


def test_an_invoice_is_of_the_month_of_its_date(organization: Organization) -> None:
    """In UTC, and whatever it is for."""
    last, first = datetime(2026, 10, 31, 23, 59, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
    for at in (last, first):
        InvoiceFactory(organization=organization, number=f"{at:%m}", created_at=at)
    only = Months(date(2026, 10, 1), date(2026, 10, 1))
    assert [one["InvoiceId"] for one in charged(organization, only)] == ["10"]
    assert {(one["InvoiceId"], one["BillingPeriodStart"]) for one in charged(organization)} == {
        ("10", "2026-10-01T00:00:00Z"),
        ("11", "2026-11-01T00:00:00Z"),
    }


def test_a_credit_note_is_a_document_of_its_own_in_its_own_month(organization: Organization) -> None:
    note = credit_note(1500, number="CN-1", day="2026-12-03", refunded=1500)
    InvoiceFactory(
        organization=organization,
        number="A-1",
        refunded=1500,
        document=document([line("Seats", 5825)], credit_notes=[note]),
    )
    december = Months(date(2026, 12, 1), date(2026, 12, 1))
    [charge] = charged(organization, december)
    assert (charge["InvoiceId"], charge["BilledCost"], charge["ChargeClass"]) == ("CN-1", "-15", "Correction")
    [item] = records_of(organization, Dataset.INVOICE_DETAIL, december)
    assert (item["InvoiceId"], item["ReferenceInvoiceId"]) == ("CN-1", "A-1")
    assert billed_by(charged(organization), "InvoiceId") == {"A-1": Decimal("58.25"), "CN-1": Decimal(-15)}


def test_a_voided_invoice_is_marked_and_a_draft_left_out(organization: Organization) -> None:
    for status in ("void", "draft", "deleted", "uncollectible"):
        InvoiceFactory(organization=organization, number=status, status=status)
    told = {one["InvoiceId"]: one["x_InvoiceIssueStatus"] for one in charged(organization)}
    assert told == {"void": "Voided", "uncollectible": "Issued"}


def test_nothing_of_another_organization_is_in_a_file(organization: Organization) -> None:
    other = OrganizationFactory()
    InvoiceFactory(organization=other)
    follow_terms(organization_id=other.pk, terms=terms(credits=1))
    count(other, {NOVEMBER: 5})
    settle(organization_id=other.pk, until=DECEMBER)
    assert charged(organization) == records_of(organization, Dataset.INVOICE_DETAIL) == []


@pytest.fixture
def used(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> Organization:
    """On 1 and 2 November, of 10 promotional and 4 bought credits, and 7 on demand. It is 20 November."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    follow_terms(organization_id=organization.pk, terms=terms(credits=10))
    grant(organization, 4, kind=GrantKind.PAID)
    count(organization, {NOVEMBER: 6, NOVEMBER + HOUR: 6, NOVEMBER + DAY: 9})
    settle(organization_id=organization.pk, until=DECEMBER)
    return organization


def usage_in(records: Records) -> list[tuple[str | None, ...]]:
    names = ("ChargePeriodStart", "x_CoveredBy", "ConsumedQuantity", "BilledCost", "ListCost", "InvoiceId")
    usage = [one for one in records if one["ChargeCategory"] == "Usage"]
    return [tuple((one[name] or "").removesuffix("T00:00:00Z") for name in names) for one in usage]


def test_usage_is_told_by_day_and_by_what_covers_it(used: Organization) -> None:
    records = charged(used)
    assert usage_in(records) == [
        ("2026-11-01", "paid", "2", "0", "0.0005", ""),
        ("2026-11-01", "promotional", "10", "0", "0.0025", ""),
        ("2026-11-02", "paid", "2", "0", "0.0005", ""),
        ("2026-11-02", "", "7", "0.00175", "0.00175", ""),
    ]
    assert {one["SkuPriceDetails"] for one in records} == {'{"x_Edition":"team-growth"}'}


def test_on_demand_is_told_by_day_where_it_is_invoiced_and_only_there(used: Organization) -> None:
    """At its exact price; what a whole number of cents differs by stands beside."""
    on_demand = {**asdict(line("On-demand credits", 1)), "credits_since": NOVEMBER.isoformat()}
    InvoiceFactory(
        organization=used,
        number="A-12",
        total=1,
        created_at=DECEMBER + HOUR,
        document={**document([]), "lines": [on_demand]},
    )
    records = charged(used)
    assert usage_in(records)[0] == ("2026-11-02", "", "7", "0.00175", "0.00175", "A-12")
    assert sum(1 for one in usage_in(records) if not one[1]) == 1
    assert billed_by(records, "InvoiceId")["A-12"] == Decimal("0.01")
    [rounding] = [one for one in records if one["ChargeCategory"] == "Adjustment"]
    assert (rounding["BilledCost"], rounding["InvoiceDetailId"]) == ("0.00825", "line-1")
    november = charged(used, Months(date(2026, 11, 1), date(2026, 11, 1)))
    assert {one[1] for one in usage_in(november)} == {"paid", "promotional"}


def test_what_is_counted_after_its_month_was_closed_corrects_it(
    used: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = DECEMBER + 3 * DAY
    monkeypatch.setattr("django.utils.timezone.now", lambda: later)
    follow_terms(organization_id=used.pk, terms=terms(since=DECEMBER, until=DECEMBER + 31 * DAY, credits=10))
    settle(organization_id=used.pk, until=later)
    count(used, {NOVEMBER + DAY: 12})
    settle(organization_id=used.pk, until=later)
    [late] = [one for one in charged(used) if one["ChargeClass"] == "Correction"]
    assert (late["BillingPeriodStart"], late["ChargePeriodStart"], late["ConsumedQuantity"]) == (
        "2026-12-01T00:00:00Z",
        "2026-11-02T00:00:00Z",
        "3",
    )


@pytest.mark.parametrize(
    ("heard", "statuses"),
    [
        (DECEMBER + HOUR, ["Closed", "Closed", "Open"]),
        (NOVEMBER + HOUR, ["Closed", "Open", "Open"]),
        (None, ["Open", "Open", "Open"]),
    ],
)
def test_a_month_is_closed_once_stripe_was_heard_after_it(
    heard: datetime | None, statuses: list[str], organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: DECEMBER + DAY)
    BillingAccountFactory(organization=organization, synced_at=heard)
    periods = records_of(organization, Dataset.BILLING_PERIOD)
    assert [one["BillingPeriodStatus"] for one in periods] == statuses


def test_a_month_is_open_while_its_usage_may_change(
    used: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: DECEMBER + HOUR)
    periods = records_of(used, Dataset.BILLING_PERIOD)
    assert [one["BillingPeriodStatus"] for one in periods] == ["Closed", "Open", "Open"]


def test_months_to_come_are_no_periods_yet(organization: Organization) -> None:
    coming = Months(OCTOBER.date(), date(2099, 1, 1))
    periods = records_of(organization, Dataset.BILLING_PERIOD, coming)
    assert datetime.fromisoformat(periods[-1]["BillingPeriodStart"] or "") <= datetime.now(UTC)


@pytest.mark.slow
def test_many_invoices_take_a_statement_a_page(organization: Organization) -> None:
    for day in range(30):
        InvoiceFactory.create_batch(10, organization=organization, created_at=NOVEMBER + timedelta(days=day))

    def statements() -> int:
        with sent_statements() as sent:
            assert len(records_of(organization, Dataset.INVOICE_DETAIL)) == Invoice.objects.count()
        return len(sent)

    few = statements()
    InvoiceFactory.create_batch(100, organization=organization)
    assert statements() == few + 1


def test_people_download_what_they_chose(admin: Membership, sign_in: SignIn) -> None:
    InvoiceFactory(organization=admin.organization, number="A-1")
    manager = MembershipFactory(organization=admin.organization, role=Role.BILLING_MANAGER)
    answer = download(sign_in(manager), manager, "?dataset=invoice-detail&first=2026-11&last=2026-11")
    assert isinstance(answer, StreamingHttpResponse)
    name = f"focus-invoice-detail-{manager.organization.slug}-2026-11-2026-11.csv"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    [record] = read(answer.getvalue().decode())
    assert (record["InvoiceId"], record["BilledCost"], record["InvoiceIssuerName"]) == (
        "A-1",
        "58.25",
        "Northwind Cloud",
    )


@pytest.mark.parametrize(
    "query", ["?dataset=stacks", "?first=november", "?first=2026-13", "?first=2026-11&last=2026-10"]
)
def test_what_the_page_does_not_offer_is_refused(query: str, admin: Membership, sign_in: SignIn) -> None:
    assert download(sign_in(admin), admin, query).status_code == 400


def download(client: Client, membership: Membership, query: str) -> Any:
    return client.get(f"/orgs/{membership.organization.slug}/settings/billing/exports/focus.csv{query}")
