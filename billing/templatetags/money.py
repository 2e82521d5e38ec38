"""Money in templates."""

from decimal import Decimal

from django import template

from billing.money import format_money, format_price
from orgs.currencies import in_major_units

register = template.Library()


@register.filter
def money(amount: int, currency: str) -> str:
    """Minor units to text: ``{{ invoice.total|money:invoice.currency }}``."""
    return format_money(amount, currency)


@register.filter
def unit_price(price: Decimal, currency: str) -> str:
    """A price in minor units, with all its decimals: 0.05 cents are $0.0005."""
    return format_price(in_major_units(price, currency), currency)


@register.filter
def price(amount: Decimal, currency: str) -> str:
    """A price in major units with all its decimals: $0.00025."""
    return format_price(amount, currency)
