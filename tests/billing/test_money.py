"""Money is counted in minor units and written as people write it."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.charges import next_charge
from billing.money import format_money, format_price, in_major_units, in_minor_units
from orgs.editions import edition_of
from tests.billing.factories import SubscriptionFactory


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


TODAY = datetime(2026, 11, 21, tzinfo=UTC).date()
TEAM_GROWTH = edition_of("team-growth", on=TODAY)


def test_the_designs_vector() -> None:
    """625 resources x 720 h = 450,000 credits; (450,000 - 150,000) x $0.00025 = $75.00."""
    charge = next_charge(TEAM_GROWTH, [SubscriptionFactory.build(items=[])], 625 * 720)
    assert charge is not None
    assert (charge.amount, charge.currency, charge.estimated) == (7500, "usd", True)


def test_free_credits_cost_nothing() -> None:
    charge = next_charge(TEAM_GROWTH, [SubscriptionFactory.build(items=[])], 149_999)
    assert charge is not None
    assert charge.amount == 0
    assert charge.lines[0].working == "149,999 used, 149,999 of them free: 0 × $0.00025"


def test_fixed_and_on_demand_parts_add_up() -> None:
    charge = next_charge(TEAM_GROWTH, [SubscriptionFactory.build()], 150_001)
    assert charge is not None
    assert [line.amount for line in charge.lines] == [20_000, 0]
    assert charge.amount == 20_000


def test_the_period_that_ends_first_is_charged_next() -> None:
    later = SubscriptionFactory.build(period_end=datetime(2027, 1, 1, tzinfo=UTC))
    first = SubscriptionFactory.build()
    charge = next_charge(edition_of("team-pro", on=TODAY), [later, first], 0)
    assert charge is not None
    assert charge.at == first.period_end


@pytest.mark.parametrize("status", ["canceled", "incomplete", "incomplete_expired", "paused"])
def test_what_is_not_going_on_is_not_charged(status: str) -> None:
    assert next_charge(TEAM_GROWTH, [SubscriptionFactory.build(status=status)], 0) is None


@pytest.mark.parametrize(
    ("ends", "charged"),
    [
        ({"cancel_at_period_end": True}, False),
        ({"cancel_at": datetime(2026, 11, 25, tzinfo=UTC)}, False),
        ({"cancel_at": datetime(2027, 6, 1, tzinfo=UTC)}, True),
    ],
)
def test_what_ends_by_the_end_of_its_period_is_not_charged_again(
    ends: dict[str, object], charged: bool
) -> None:
    charge = next_charge(TEAM_GROWTH, [SubscriptionFactory.build(**ends)], 0)
    assert (charge is not None) is charged


def test_metered_and_tiered_items_have_no_fixed_part() -> None:
    item = SubscriptionFactory.build().items[0]
    items = [{**item, "metered": True}, {**item, "unit_amount": ""}]
    charge = next_charge(edition_of("team-pro", on=TODAY), [SubscriptionFactory.build(items=items)], 0)
    assert charge is not None
    assert charge.lines == []
