"""The items of an invoice are its lines and what comes to them: they add up to its total, to the cent."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.focus.charges import charges_of
from billing.focus.items import Category, Frequency, Item, credit_notes_of, items_of
from billing.focus.usage import UsageDay
from billing.models import Invoice
from orgs.currencies import in_major_units
from tests.billing.factories import InvoiceFactory, credit_note, document, line
from tests.billing.strategies import invoices
from tests.factories import OrganizationFactory

OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
CURRENCIES = ["usd", "eur", "jpy", "kwd"]


def invoice(**fields: Any) -> Invoice:
    """One that isn't stored."""
    built: Invoice = InvoiceFactory.build(organization=OrganizationFactory.build(), **fields)
    return built


def invoice_of(total: int, *lines: Any, **fields: Any) -> Invoice:
    return invoice(total=total, amount_due=total, document=document(list(lines), **fields))


@st.composite
def days(draw: st.DrawFn) -> list[UsageDay]:
    price = Decimal(draw(st.integers(1, 10**6))) / 10**8
    return [
        UsageDay(
            day=OCTOBER.replace(day=number).date(),
            month=OCTOBER.date(),
            span_since=OCTOBER,
            covered_by="",
            credits=draw(st.integers(-1000, 10**6)),
            edition_code="team-growth",
            price=price,
        )
        for number in range(1, draw(st.integers(1, 6)))
    ]


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(drawn=invoices(), off=st.integers(-500, 500), currency=st.sampled_from(CURRENCIES), used=days())
def test_items_and_charges_add_up_to_the_total_and_to_each_credit_note(
    drawn: dict[str, Any], off: int, currency: str, used: list[UsageDay]
) -> None:
    """Also where a line is told day by day, and where Stripe's sum is one that we can't explain."""
    drawn["total"] += off
    for one in drawn["document"]["lines"][:1]:
        one["credits_since"] = OCTOBER.isoformat()
    stored = invoice(currency=currency, **drawn)
    items = list(items_of(stored))
    assert sum(item.amount for item in items) == stored.total
    charged = sum((charge.billed for item in items for charge in charges_of(item, used)), Decimal())
    assert charged == in_major_units(stored.total, currency)
    assert len({item.id for item in items}) == len(items)
    notes = list(credit_notes_of(stored))
    assert [-note.amount for note in notes] == [note["amount"] for note in drawn["document"]["credit_notes"]]


@pytest.mark.parametrize(
    ("fields", "category", "frequency", "corrects"),
    [
        ({}, Category.PURCHASE, Frequency.RECURRING, False),
        ({"item": "ii_1"}, Category.PURCHASE, Frequency.ONE_TIME, False),
        ({"item": "ii_1", "amount": -4000}, Category.PURCHASE, Frequency.ONE_TIME, True),
    ],
)
def test_lines_are_told_apart_by_what_they_bill(
    fields: dict[str, Any], category: Category, frequency: Frequency, corrects: bool
) -> None:
    [item, *_rest] = items_of(invoice_of(4000, replace(line("Seats", 4000), **fields)))
    assert (item.kind.category, item.kind.frequency, item.kind.corrects) == (category, frequency, corrects)


@pytest.mark.parametrize("written", ["", "soon", "2026-10-01T00:00:00", None])
def test_what_people_write_as_metadata_makes_no_credits_of_a_line(written: str | None) -> None:
    stored = invoice_of(4000)
    stored.document["lines"] = [{**asdict(line("Seats", 4000)), "credits_since": written}]
    [item] = items_of(stored)
    assert item.kind.category is Category.PURCHASE


def charge_of(item: Item) -> tuple[Decimal, Decimal | None, Decimal | None, Decimal]:
    [charge] = charges_of(item, [])
    return charge.billed, charge.unit_price, charge.quantity, charge.at_list_price


def test_a_price_leads_to_the_cost_to_the_last_decimal() -> None:
    """Half a cent is rounded once, on the invoice: what it costs by the price is told exactly."""
    [item] = items_of(
        invoice_of(12_001, replace(line("Hours", 12_001), quantity="240010", unit_amount="0.05"))
    )
    price, quantity = Decimal("0.0005"), Decimal(240_010)
    assert charge_of(item) == (Decimal("120.01"), price, quantity, Decimal("120.005"))


def test_a_part_of_a_period_is_sold_once_as_a_whole() -> None:
    [item] = items_of(invoice_of(21_333, replace(line("Seats", 21_333), quantity="8", unit_amount="5000")))
    assert charge_of(item) == (Decimal("213.33"), Decimal("213.33"), Decimal(1), Decimal("213.33"))


def test_an_included_tax_is_told_beside_and_costs_nothing_more() -> None:
    tax = {"name": "VAT", "jurisdiction": "", "percentage": "19", "inclusive": True, "amount": 1900}
    stored = invoice_of(11_900, line("Seats", 11_900), taxes=[{**tax, "taxable": 10_000, "reason": ""}])
    [_seats, included] = items_of(stored)
    assert (included.kind.category, included.amount, included.included_tax) == (Category.TAX, 0, 1900)
    assert included.description == "VAT 19%, included in the prices"


def test_an_invoice_without_its_lines_is_one_amount_that_says_so() -> None:
    [item] = items_of(invoice_of(4000))
    assert (item.kind.category, item.amount) == (Category.ADJUSTMENT, 4000)
    assert item.description == "Not itemized in the portal's copy of the invoice"


@pytest.mark.parametrize(("day", "corrects"), [("2026-11-09", False), ("2026-12-01", True)])
def test_a_credit_note_corrects_a_month_that_was_billed_before(day: str, corrects: bool) -> None:
    stored = invoice_of(4000, line("Seats", 4000), credit_notes=[credit_note(1500, refunded=1500, day=day)])
    [note] = credit_notes_of(stored)
    assert note.kind.corrects is corrects
    assert note.on.id != note.on.reference == str(stored)


@pytest.mark.parametrize(
    ("fields", "terms"),
    [
        ({}, "Charged automatically"),
        ({"charged_automatically": False}, "Due on receipt"),
        ({"charged_automatically": False, "due_at": datetime(2026, 12, 1, tzinfo=UTC)}, "Net 30"),
    ],
)
def test_terms_are_told_as_the_invoice_has_them(fields: dict[str, Any], terms: str) -> None:
    [item] = items_of(invoice(**fields))
    assert item.on.terms == terms
