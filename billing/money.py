"""Amounts of money, as Stripe counts them and as people read them."""

import re
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from babel.numbers import format_currency, get_currency_precision
from django.utils.translation import get_language, to_locale

# How many decimals Stripe's minor units have, where not two: https://docs.stripe.com/currencies
NO_DECIMALS = frozenset(
    {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"}
)
THREE_DECIMALS = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
# A code in place of a symbol keeps its distance: CLDR's currency spacing, which babel leaves out.
LETTER_BEFORE_DIGIT = re.compile(r"(?<=[A-Za-z])(?=\d)")


def exponent(currency: str) -> int:
    """How many decimals the currency's minor unit stands for."""
    code = currency.lower()
    if code in NO_DECIMALS:
        return 0
    return 3 if code in THREE_DECIMALS else 2


def in_major_units(amount: int | Decimal, currency: str) -> Decimal:
    return Decimal(amount).scaleb(-exponent(currency))


def in_minor_units(amount: Decimal, currency: str) -> int:
    """Round once, half up, to whole minor units."""
    return int(amount.scaleb(exponent(currency)).quantize(Decimal(1), rounding=ROUND_HALF_UP))


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
