"""Amounts of money as people read them."""

import re
from decimal import Decimal
from functools import lru_cache

from babel.numbers import format_currency, get_currency_precision
from django.utils.translation import get_language, to_locale

from orgs.currencies import exponent, in_major_units

# A code in place of a symbol keeps its distance: CLDR's currency spacing, which babel leaves out.
LETTER_BEFORE_DIGIT = re.compile(r"(?<=[A-Za-z])(?=\d)")


def format_money(amount: int, currency: str) -> str:
    """``format_money(5825, "usd")`` is $58.25."""
    return _formatted(in_major_units(amount, currency), currency, get_language())


def format_price(price: Decimal, currency: str) -> str:
    """A price in major units with all its decimals, at least those of the currency: $0.00025."""
    decimals = max(exponent(currency), -int(price.normalize().as_tuple().exponent))
    pattern = f"¤#,##0.{'0' * decimals}" if decimals else "¤#,##0"
    return _formatted(price, currency, get_language(), pattern)


@lru_cache(maxsize=4096)
def _formatted(amount: Decimal, currency: str, language: str | None, pattern: str | None = None) -> str:
    code = currency.upper()
    # CLDR writes some currencies without the decimals that Stripe counts: only a whole amount can be.
    usual = pattern is None and amount == round(amount, get_currency_precision(code))
    text = format_currency(
        amount, code, format=pattern, locale=to_locale(language or "en"), currency_digits=usual
    )
    return LETTER_BEFORE_DIGIT.sub("\xa0", text)
