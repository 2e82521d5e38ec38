"""Money is counted in minor units and written as people write it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import format_money, format_price
from orgs.currencies import in_major_units, in_minor_units


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (5825, "usd", "$58.25"),
        (0, "usd", "$0.00"),
        (-500, "usd", "-$5.00"),
        (123456789, "usd", "$1,234,567.89"),
        (500, "jpy", "¥500"),
        (5825, "kwd", "KWD\xa05.825"),
        (5825, "eur", "€58.25"),
        (500, "ugx", "UGX\xa05"),
        (1200, "rsd", "RSD\xa012"),
        (1234, "rsd", "RSD\xa012.34"),
    ],
)
def test_amounts_follow_stripes_minor_units(amount: int, currency: str, text: str) -> None:
    assert format_money(amount, currency) == text


def test_prices_keep_all_their_decimals() -> None:
    assert format_price(Decimal("0.00025"), "usd") == "$0.00025"
    assert format_price(Decimal(20), "usd") == "$20.00"
    assert format_price(Decimal("0.0005"), "usd") == "$0.0005"
    assert format_price(Decimal(300), "jpy") == "¥300"


@pytest.mark.parametrize(("amount", "minor"), [("0.005", 1), ("0.0049", 0), ("1.015", 102), ("75", 7500)])
def test_rounding_is_half_up(amount: str, minor: int) -> None:
    assert in_minor_units(Decimal(amount), "usd") == minor


@given(amount=st.integers(-(10**12), 10**12), currency=st.sampled_from(["usd", "jpy", "kwd"]))
def test_units_convert_both_ways_without_loss(amount: int, currency: str) -> None:
    assert in_minor_units(in_major_units(amount, currency), currency) == amount
