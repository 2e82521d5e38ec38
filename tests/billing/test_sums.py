"""A sum is right to the cent for whatever Stripe puts on an invoice, in every currency."""

from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.sums import INCLUDED, Part, Row, returns_of, sums_of_invoice, unit_price_of
from billing.templatetags.sums import LABELS
from tests.billing.factories import credit_note, document, line, payment
from tests.billing.strategies import invoices


def adds_up(rows: list[Row]) -> bool:
    """Whether each result is the sum of the rows before it."""
    so_far = 0
    for row in rows:
        if row.part is Part.SUBTOTAL:
            so_far = row.amount
        elif row.is_result and row.amount != so_far:
            return False
        elif not row.is_result and row.part not in INCLUDED:
            so_far += row.amount
    return True


@pytest.mark.slow
@given(invoice=invoices())
def test_every_result_is_the_sum_of_what_stands_above_it(invoice: dict[str, Any]) -> None:
    rows = sums_of_invoice(**invoice)
    assert adds_up(rows)
    assert [row.amount for row in rows if row.part is Part.TOTAL] == [invoice["total"]]
    assert rows[-1].part is Part.LEFT
    owed = invoice["status"] in {"open", "uncollectible", "draft"}
    assert rows[-1].amount == (invoice["amount_remaining"] if owed else 0)
    assert Part.ADJUSTMENT not in {row.part for row in rows}


@pytest.mark.slow
@given(invoice=invoices(), off=st.integers(-500, 500))
def test_what_we_do_not_know_of_is_told_and_not_hidden(invoice: dict[str, Any], off: int) -> None:
    rows = sums_of_invoice(**{**invoice, "total": invoice["total"] + off})
    assert adds_up(rows)
    assert sum(row.amount for row in rows if row.part is Part.ADJUSTMENT) == off


def rows_of(total: int, **fields: Any) -> list[tuple[Part, int]]:
    given = {"status": "open", "amount_due": total, "amount_remaining": total, **fields}
    document_ = given.pop("document")
    return [(row.part, row.amount) for row in sums_of_invoice(document_, total=total, **given)]


def test_a_balance_that_pays_a_part_is_a_row_of_its_own() -> None:
    paid = document([line("Seats", 10_000)], starting_balance=-6000, payments=[payment(4000)])
    assert rows_of(10_000, document=paid, status="paid", amount_due=4000, amount_remaining=0)[1:] == [
        (Part.TOTAL, 10_000),
        (Part.APPLIED_BALANCE, -6000),
        (Part.DUE, 4000),
        (Part.PAID, -4000),
        (Part.LEFT, 0),
    ]


def test_a_discount_stands_between_subtotal_and_total() -> None:
    discounted = document([line("Seats", 10_000)], discounts=[{"name": "Partner", "amount": 2000}])
    assert rows_of(8000, document=discounted)[:3] == [
        (Part.SUBTOTAL, 10_000),
        (Part.DISCOUNT, -2000),
        (Part.TOTAL, 8000),
    ]


def test_an_included_tax_is_told_and_not_added() -> None:
    tax = {"name": "VAT", "jurisdiction": "", "percentage": "19", "inclusive": True, "amount": 1900}
    included = document([line("Seats", 11_900)], taxes=[{**tax, "taxable": 10_000, "reason": ""}])
    assert rows_of(11_900, document=included)[1:3] == [(Part.TOTAL, 11_900), (Part.INCLUDED_TAX, 1900)]


def test_an_amount_too_small_to_charge_is_carried_over() -> None:
    small = document([line("Hour", 30)])
    assert (Part.CARRIED_OVER, -30) in rows_of(30, document=small, status="paid", amount_due=0)


def test_a_negative_invoice_goes_to_the_balance() -> None:
    back = document([line("Unused time", -6000)])
    assert (Part.TO_BALANCE, 6000) in rows_of(-6000, document=back, status="paid", amount_due=0)


def test_what_was_paid_elsewhere_is_said_to_be() -> None:
    paid = document([line("Seats", 10_000)], paid_off_stripe=10_000)
    rows = rows_of(10_000, document=paid, status="paid", amount_remaining=0)
    assert rows[-2:] == [(Part.PAID_ELSEWHERE, -10_000), (Part.LEFT, 0)]


def test_a_payment_of_which_only_the_sum_is_known_is_told_without_its_way() -> None:
    paid = document([line("Seats", 10_000)])
    rows = rows_of(10_000, document=paid, status="paid", amount_remaining=0)
    assert rows[-2:] == [(Part.PAID, -10_000), (Part.LEFT, 0)]


def test_every_part_has_words() -> None:
    assert set(LABELS) == set(Part)


def test_a_credit_note_and_a_refund_without_one_stand_apart() -> None:
    note = credit_note(1500, refunded=1000, to_balance=500)
    paid = document([line("Seats", 10_000)], payments=[payment(10_000, refunded=3000)], credit_notes=[note])
    found = [(one.amount, one.note is not None) for one in returns_of(paid)]
    assert found == [(1500, True), (2000, False)]


@pytest.mark.parametrize(
    ("quantity", "unit_amount", "amount", "shown"),
    [
        ("12", "5000", 60_000, "5000"),
        ("240000", "0.05", 12_000, "0.05"),
        # Half a cent is rounded.
        ("240010", "0.05", 12_001, "0.05"),
        ("0.5", "1000", 500, "1000"),
        # A package of ten, a part of a period, a tiered price.
        ("25", "1000", 3000, None),
        ("8", "5000", 21_333, None),
        ("3", "", 4200, None),
    ],
)
def test_a_unit_price_is_one_that_leads_to_the_amount(
    quantity: str, unit_amount: str, amount: int, shown: str | None
) -> None:
    tried = replace(line("Seats", amount), quantity=quantity, unit_amount=unit_amount)
    assert unit_price_of(asdict(tried)) == (None if shown is None else Decimal(shown))
