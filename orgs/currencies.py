"""Amounts of money in a currency's minor units, as Stripe counts them."""

from decimal import ROUND_HALF_UP, Decimal

# How many decimals Stripe's minor units have, where not two: https://docs.stripe.com/currencies
NO_DECIMALS = frozenset(
    {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"}
)
THREE_DECIMALS = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})


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
