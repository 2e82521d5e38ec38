"""How the Roles page shows a grant."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from orgs.policy import Role

register = template.Library()


@register.simple_tag
def grant_mark(grants: dict[Role, str], role: Role, delegated: bool) -> SafeString:
    """Yes, no, or what hangs on the organization's setting. Words, since a mark alone says nothing aloud."""
    grant = grants[role]
    if grant == "yes" or (grant == "delegable" and delegated):
        return format_html('<span class="good">{}</span>', _("Yes"))
    if grant == "delegable":
        return format_html('<span class="muted">{}</span>', _("If allowed"))
    return format_html('<span class="muted">{}</span>', _("No"))
