"""What the organization's sidebar offers: only what the policy lets this person open."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing_portal.templatetags.elements import for_row, row_urls
from orgs.models import Membership
from orgs.policy import May, Permission, may


@dataclass(frozen=True)
class Place:
    """A page of the organization and the permission that opens it."""

    url_name: str
    label: Promise
    icon: str
    permission: Permission


PRODUCT = (
    Place("dashboard", _("Dashboard"), "dashboard", Permission.ORGANIZATION_VIEW),
    Place("stacks", _("Stacks"), "stacks", Permission.RUM_PER_STACK),
)
SETTINGS = (
    Place("billing", _("Billing & usage"), "billing", Permission.BILLING_VIEW),
    Place("members", _("Members"), "members", Permission.MEMBERS_LIST),
    Place("teams", _("Teams"), "teams", Permission.TEAMS_LIST),
    Place("roles", _("Roles"), "roles", Permission.ROLES_VIEW),
    Place("tokens", _("Access tokens"), "key", Permission.ACCESS_TOKENS_OWN),
    Place("webhooks", _("Webhooks"), "send", Permission.WEBHOOKS_MANAGE),
    Place("audit_log", _("Audit log"), "audit", Permission.AUDIT_READ),
    Place("organization_settings", _("General"), "settings", Permission.ORGANIZATION_CONFIGURE),
)


@dataclass(frozen=True)
class Link:
    label: Promise
    url: str
    icon: str
    current: bool


def organization_context(request: HttpRequest) -> dict[str, object]:
    """Context of every template: product, organization, what the person may do in it, where they may go."""
    product = {"product_name": settings.PRODUCT_NAME, "support_email": settings.SUPPORT_EMAIL}
    membership: Membership | None = getattr(request, "membership", None)
    if membership is None:
        return {**product, "may": May(None)}
    return {
        **product,
        "organization": membership.organization,
        "membership": membership,
        "may": May(membership),
        "navigation": {
            "product": _links(PRODUCT, membership, request.path),
            "settings": _links(SETTINGS, membership, request.path),
        },
    }


def _links(places: tuple[Place, ...], membership: Membership, path: str) -> list[Link]:
    links = []
    for place in places:
        if may(membership, place.permission):
            url = for_row(row_urls(place.url_name), membership.organization.slug)
            current = path == url if place.url_name == "dashboard" else path.startswith(url)
            links.append(Link(place.label, url, place.icon, current))
    return links
