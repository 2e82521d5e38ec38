"""What templates of support staff ask: their navigation, and whether they may do something."""

from functools import cache
from typing import NamedTuple

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from billing.dashboard import dashboard_url
from orgs.dates import page_language
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
def staff_navigation(context: Context) -> SafeString:
    """The same links for all staff, with the page where they are marked."""
    return _navigation(context["request"].resolver_match.url_name, page_language())


@cache
def _navigation(here: str, _language: str | None) -> SafeString:
    links = [
        {
            "label": link.label,
            "url": page_url(link.url_name),
            "icon": link.icon,
            "current": link.url_name == here,
        }
        for link in LINKS
    ]
    return render_to_string("_nav_links.html", {"links": links})


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


# In place of the thing and of its name, in a menu that is written once. No name has a private character.
KEY, ABOUT = "\ue001key\ue001", "\ue001about\ue001"


@register.simple_tag
def act_menu(permissions: frozenset[Permission], kind: str, key: object, about: str) -> SafeString:
    """``{% act_menu staff.permissions "invitation" invitation.id invitation.addressee %}``: what they may do
    with it; nothing at all where that is nothing. ``about``: what it is called.
    """
    menu = _menu(kind, permissions, page_language())
    return mark_safe(menu.replace(KEY, escape(key)).replace(ABOUT, escape(about)))  # noqa: S308 - both escaped


@cache
def _menu(kind: str, permissions: frozenset[Permission], _language: str | None) -> str:
    """A page has dozens of menus, and there are a few kinds of them."""
    acts = [ACTS[name] for name in MENUS[kind]]
    links = [
        ActLink(act.submit, act.url(NOBODY).replace(NOBODY, KEY), act.tone == "danger")
        for act in acts
        if act.permission in permissions
    ]
    ways = [
        ActLink(label, reverse(f"admin:{name}", args=[NOBODY]).replace(NOBODY, KEY), opens_dialog=False)
        for label, name, permission in WAYS.get(kind, ())
        if permission in permissions
    ]
    return render_to_string(
        "support/_act_menu.html",
        {
            "acts": links + ways,
            "menu_id": f"acts-{kind}-{KEY}",
            "about": ABOUT,
            "is_main": kind == "organization",
        },
    )


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
