"""Amounts for people. Stripe gives them in minor units (https://docs.stripe.com/currencies)."""

from babel.numbers import format_currency, get_currency_precision


def money(amount: int, currency: str) -> str:
    code = currency.upper()
    return format_currency(amount / 10 ** get_currency_precision(code), code, locale="en_US")
