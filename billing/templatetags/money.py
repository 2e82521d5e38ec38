"""Money in templates."""

from django import template

from billing.money import format_money

register = template.Library()


@register.filter
def money(amount: int, currency: str) -> str:
    """Minor units to text: ``{{ invoice.total|money:invoice.currency }}``."""
    return format_money(amount, currency)
