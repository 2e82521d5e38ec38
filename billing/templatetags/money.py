"""Money in templates."""

from decimal import Decimal

from django import template

from billing.money import format_money, format_price

register = template.Library()


@register.filter
def money(amount: int, currency: str) -> str:
    """Minor units to text: ``{{ invoice.total|money:invoice.currency }}``."""
    return format_money(amount, currency)


@register.filter
def price(amount: Decimal | str, currency: str) -> str:
    """A price in major units, with all its decimals: ``{{ "0.00025"|price:"usd" }}``."""
    return format_price(Decimal(amount), currency)
