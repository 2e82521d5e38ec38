"""What templates of support staff ask: their navigation, and whether they may do something."""

from typing import Any, NamedTuple

from django import template
from django.template import Context
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orgs.policy import may
from support.acts import ACTS

register = template.Library()


class StaffLink(NamedTuple):
    label: Promise
    url_name: str
    icon: str


LINKS = [
    StaffLink(_("Organizations"), "orgs_organization_changelist", "organization"),
    StaffLink(_("People"), "accounts_user_changelist", "members"),
    StaffLink(_("Invitations"), "invitations_invitation_changelist", "link"),
    StaffLink(_("Invoices"), "billing_invoice_changelist", "invoice"),
    StaffLink(_("Operations"), "billing_stripeoperation_changelist", "refresh"),
    StaffLink(_("Webhooks"), "billing_stripeevent_changelist", "external"),
    StaffLink(_("Mails"), "outbox_outgoingemail_changelist", "mail"),
    StaffLink(_("Audit log"), "audit_auditevent_changelist", "audit"),
    StaffLink(_("Queues"), "support_queues", "warning"),
    StaffLink(_("Tickets avoided"), "support_count", "dashboard"),
]


@register.simple_tag(takes_context=True)
def staff_navigation(context: Context) -> list[dict[str, Any]]:
    """Links for ``_nav_links.html``."""
    here = context["request"].resolver_match.url_name
    return [
        {
            "label": link.label,
            "url": reverse(f"admin:{link.url_name}"),
            "icon": link.icon,
            "current": link.url_name == here,
        }
        for link in LINKS
    ]


@register.simple_tag(takes_context=True)
def act_url(context: Context, name: str, key: object) -> str:
    """Where the act of that name asks for its thing; empty for staff who may not do it."""
    act = ACTS[name]
    return act.url(key) if may(context["request"].staff, act.permission) else ""
