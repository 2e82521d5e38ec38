"""Columns and cells are as FOCUS 1.4 wants them."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from billing.focus.columns import COLUMNS, Dataset, Value, cell, head_of
from tests.billing.focus.spec import columns_of


@pytest.mark.parametrize("dataset", Dataset)
def test_the_columns_are_those_of_the_specification_then_those_of_our_own(dataset: Dataset) -> None:
    of_focus = [name for name in COLUMNS[dataset] if not name.startswith("x_")]
    assert of_focus == sorted(columns_of(dataset))
    assert list(COLUMNS[dataset]) == of_focus + sorted(set(COLUMNS[dataset]) - set(of_focus))


def test_a_file_begins_with_its_first_column_for_tools_that_know_no_mark() -> None:
    assert head_of(Dataset.BILLING_PERIOD).startswith("BillingPeriodCreated,BillingPeriodEnd,")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("", None),
        (Decimal("58.25"), "58.25"),
        (Decimal("-58.50"), "-58.5"),
        (Decimal("0.00"), "0"),
        (Decimal("-0.0"), "0"),
        (Decimal("1E+3"), "1000"),
        (Decimal("2.5E-7"), "0.00000025"),
        (datetime(2026, 11, 1, 1, tzinfo=timezone(timedelta(hours=2))), "2026-10-31T23:00:00Z"),
        (datetime(2026, 11, 1, 1, 2, 3, 999, tzinfo=UTC), "2026-11-01T01:02:03Z"),
        ({"x_Item": "line-1", "SkuId": "prod_1"}, '{"SkuId":"prod_1","x_Item":"line-1"}'),
        ("12 × Seats", "12 × Seats"),
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("-5 seats", "'-5 seats"),
    ],
)
def test_values_are_written_so_that_tools_and_spreadsheets_read_them(value: Value, text: str | None) -> None:
    assert cell(value) == text
