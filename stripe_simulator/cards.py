"""Cards, and what a card form refuses."""

import re
from dataclasses import dataclass

from stripe_simulator.outcomes import fingerprint_of


class CardInputError(Exception):
    """What the person typed can't be right. Holds the field's name and the sentence to show."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Card:
    number: str
    month: int
    year: int

    @property
    def brand(self) -> str:
        if self.number.startswith(("34", "37")):
            return "amex"
        return "mastercard" if self.number.startswith(("51", "52", "53", "54", "55")) else "visa"

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def fingerprint(self) -> str:
        return fingerprint_of(self.number)


def read_card(*, number: str, expiry: str, cvc: str, today: tuple[int, int]) -> Card:
    """Read what was typed; `today` is (year, month). Raises CardInputError for the first wrong field."""
    digits = re.sub(r"[\s-]", "", number)
    if not digits:
        raise CardInputError("number", "Enter your card number.")
    if not re.fullmatch(r"[0-9]{12,19}", digits) or not passes_luhn(digits):
        raise CardInputError("number", "Your card number is invalid.")
    match = re.fullmatch(r"\s*(\d{1,2})\s*/\s*(\d{2}|20\d{2})\s*", expiry)
    if not match or not 1 <= int(match[1]) <= 12:
        raise CardInputError("expiry", "Enter the expiry date as MM / YY.")
    month, year = int(match[1]), 2000 + int(match[2]) % 100
    if (year, month) < today:
        raise CardInputError("expiry", "Your card's expiration date is in the past.")
    if not re.fullmatch(r"\d{4}" if digits.startswith(("34", "37")) else r"\d{3}", cvc.strip()):
        raise CardInputError("cvc", "Your card's security code is invalid.")
    return Card(digits, month, year)


def passes_luhn(digits: str) -> bool:
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
