"""What a card form refuses, and when a billing period ends."""

from datetime import UTC, datetime

import pytest

from stripe_simulator.cards import CardInputError, passes_luhn, read_card
from stripe_simulator.periods import period_end

TODAY = (2026, 11)


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("number", "expiry", "cvc", "field"),
    [
        ("", "12 / 30", "123", "number"),
        ("4242424242424241", "12 / 30", "123", "number"),
        ("4242", "12 / 30", "123", "number"),
        ("٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", "12 / 30", "123", "number"),
        ("4242424242424242", "", "123", "expiry"),
        ("4242424242424242", "13 / 30", "123", "expiry"),
        ("4242424242424242", "10 / 26", "123", "expiry"),
        ("4242424242424242", "12 / 30", "12", "cvc"),
        ("378282246310005", "12 / 30", "123", "cvc"),
    ],
)
def test_mistyped_card_names_its_field(number: str, expiry: str, cvc: str, field: str) -> None:
    with pytest.raises(CardInputError) as mistake:
        read_card(number=number, expiry=expiry, cvc=cvc, today=TODAY)
    assert mistake.value.field == field


@pytest.mark.parametrize("expiry", ["11/26", "11 / 26", "11/2026"])
def test_card_is_good_through_its_last_month(expiry: str) -> None:
    card = read_card(number="5555 5555-5555 4444", expiry=expiry, cvc="123", today=TODAY)
    assert (card.brand, card.last4, card.month, card.year) == ("mastercard", "4444", 11, 2026)


def test_luhn() -> None:
    assert passes_luhn("4000002500003155")
    assert not passes_luhn("4000002500003156")


def test_month_ends_on_the_anchor_day_or_the_last_one() -> None:
    anchor = moment("2027-01-31T10:00")
    assert period_end(anchor, anchor, "month", 1) == moment("2027-02-28T10:00")
    assert period_end(anchor, moment("2027-02-28T10:00"), "month", 1) == moment("2027-03-31T10:00")
    assert period_end(anchor, moment("2027-12-31T10:00"), "month", 1) == moment("2028-01-31T10:00")


def test_leap_day_year() -> None:
    anchor = moment("2028-02-29")
    assert period_end(anchor, anchor, "year", 1) == moment("2029-02-28")
    assert period_end(anchor, moment("2031-02-28"), "year", 1) == moment("2032-02-29")


def test_weeks_and_quarters() -> None:
    anchor = moment("2027-01-01")
    assert period_end(anchor, anchor, "week", 2) == moment("2027-01-15")
    assert period_end(anchor, moment("2027-04-01"), "month", 3) == moment("2027-07-01")
