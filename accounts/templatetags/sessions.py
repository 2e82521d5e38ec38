"""Sessions in templates."""

from django import template

from accounts.sessions import reference

register = template.Library()
register.filter("reference", reference)
