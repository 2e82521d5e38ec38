"""Sessions in templates."""

from django import template

from billing_portal.sessions import reference

register = template.Library()
register.filter("reference", reference)
