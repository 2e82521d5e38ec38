"""What templates of support staff ask: their navigation, and whether they may do something."""

from functools import cache
from typing import Any, NamedTuple

from django import template
from django.template import Context
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from billing.dashboard import dashboard_url
from orgs.models import Organization
from orgs.policy import Permission, may
from support.acts import ACTS
from support.filters import OF
from support.links import NOBODY, page_url

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
    StaffLink(_("Admin requests"), "admin_requests", "members"),
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
            "url": page_url(link.url_name),
            "icon": link.icon,
            "current": link.url_name == here,
        }
        for link in LINKS
    ]


# What can be done with each kind of thing; acts on a person in an organization are named by the membership.
MENUS = {
    "organization": (
        "invite",
        "ask-admin",
        "give-credits",
        "extend-grace",
        "reconcile",
    ),
    "person": ("view-as", "change-role", "sign-out", "remove-person"),
    "invitation": ("resend-invitation", "revoke-invitation"),
    "event": ("replay-event",),
    "operation": ("retry-operation", "give-up-operation"),
    "mail": ("send-mail-again", "send-mail-to-another"),
}


# Pages that lead to an act on it: they ask which one it is about, first.
WAYS = {
    "organization": (
        (_("Credits given by support"), "support_credits", Permission.CREDITS_GIVE),
        (_("Move customer to another organization"), "merge", Permission.CUSTOMERS_MERGE),
    ),
}


class ActLink(NamedTuple):
    label: str | Promise
    url: str
    is_dangerous: bool = False
    opens_dialog: bool = True


# In place of the thing, in addresses that are looked up once.
KEY = "KEY"


@cache
def _address(act: str) -> str:
    return ACTS[act].url(KEY)


@cache
def _page(name: str) -> str:
    return reverse(f"admin:{name}", args=[NOBODY])


@register.inclusion_tag("support/_act_menu.html", takes_context=True)
def act_menu(context: Context, kind: str, key: object, about: str) -> dict[str, Any]:
    """``{% act_menu "invitation" invitation.id invitation.addressee %}``: what this staff member may do with
    it; nothing at all where that is nothing. ``about``: what it is called.
    """
    staff = context["request"].staff
    acts = [ACTS[name] for name in MENUS[kind]]
    ways = [
        ActLink(label, _page(name).replace(NOBODY, str(key)), opens_dialog=False)
        for label, name, permission in WAYS.get(kind, ())
        if may(staff, permission)
    ]
    return {
        "acts": [
            ActLink(act.submit, _address(act.name).replace(KEY, str(key)), act.tone == "danger")
            for act in acts
            if may(staff, act.permission)
        ]
        + ways,
        "menu_id": f"acts-{kind}-{key}",
        "about": about,
        "is_main": kind == "organization",
    }


@register.simple_tag
def at_stripe(stripe_id: str) -> SafeString:
    """The id, which leads to Stripe's dashboard where that has a page for it."""
    url = dashboard_url(stripe_id)
    if not url:
        return format_html("<code>{}</code>", stripe_id)
    return format_html('<a href="{}" rel="noreferrer"><code>{}</code></a>', url, stripe_id)


@register.simple_tag
def records_of(model: str, organization: Organization) -> str:
    """Where the admin lists what an organization has of it: ``{% records_of "billing_invoice" it %}``."""
    return f"{page_url(f'{model}_changelist')}?{OF}={organization.pk}"


@register.simple_tag(takes_context=True)
def act_url(context: Context, name: str, key: object) -> str:
    """Where the act of that name asks for its thing; empty for staff who may not do it."""
    act = ACTS[name]
    return act.url(key) if may(context["request"].staff, act.permission) else ""
