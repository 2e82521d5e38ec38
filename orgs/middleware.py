"""From the slug in the path to the organization and the membership."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.access import sign_in_first
from orgs.access import OrgRequest, enter_organization
from orgs.models import Organization
from orgs.policy import Denied, Role, granting_roles


class OrganizationMiddleware:
    """Anonymous: sign-in first. Not a member: 404, as for a slug that nobody has. Denied: 403, explained."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: OrgRequest, _view: object, _args: object, kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        slug = kwargs.get("slug")
        if slug is None:
            return None
        if not request.user.is_authenticated:
            return sign_in_first(request)
        enter_organization(request, slug)
        return None

    def process_exception(self, request: OrgRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Denied):
            return None
        return render(request, "403.html", {"denial": explain(exception, request.organization)}, status=403)


def explain(denied: Denied, organization: Organization) -> dict[str, str]:
    """What the 403 page says: the missing permission, who holds or grants it, and where to ask for it."""
    holders = granting_roles(denied.permission)
    if holders == [Role.ADMIN]:
        who = _("Only admins may do this. An admin can change your role.")
    else:
        who = _("Admins and billing managers may do this. An admin can change your role.")
        if Role.MEMBER in holders:
            who = _("Admins and members may do this. An admin can change your role.")
    return {
        "permission": denied.permission.value,
        "permission_label": str(denied.permission.label),
        "granters": who,
        "ask_url": reverse("access_request", args=[organization.slug]),
    }
