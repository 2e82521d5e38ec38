"""Browsers in templates."""

from django import template
from django.utils.translation import gettext as _
from ua_parser import parse

register = template.Library()

LONGEST = 80


@register.filter
def browser(user_agent: str) -> str:
    """``{{ session.user_agent|browser }}`` is Firefox 145 on Linux; an unknown one stays as sent."""
    found = parse(user_agent)
    if found.user_agent is None:
        return user_agent[:LONGEST] or _("Unknown browser")
    name = " ".join(filter(None, [found.user_agent.family, found.user_agent.major]))
    return _("%(browser)s on %(system)s") % {"browser": name, "system": found.os.family} if found.os else name
