"""The gate in front of every view: who it is for, and which permission each method needs.

A view without a declaration fails a system check, so nothing is open by omission.
"""

import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.access import (
    Access,
    Audience,
    GatedView,
    SignedInRequest,
    ensure_recently_authenticated,
    not_allowed,
    sign_in_first,
)
from accounts.models import display_name
from orgs.compiled import compiled
from orgs.models import Membership, Organization
from orgs.policy import Denied, Permission, Role, ensure, granting_roles, may, permissions_of

# The page that explains a refusal names that many admins to those who see the members.
ADMINS_NAMED = 5


@dataclass(frozen=True)
class OrganizationAccess(Access):
    """What a view inside an organization declares: a permission for each method."""

    permissions: Mapping[str, Permission]

    def permission(self, method: str | None) -> Permission:
        return self.permissions[self.declared(method)]


class OrgRequest(SignedInRequest):
    """The request of a member, of whatever role, for a page of the organization."""

    organization: Organization
    membership: Membership


Arguments = ParamSpec("Arguments")


def requires(
    *, sensitive: Collection[str] = (), **permissions: Permission
) -> Callable[[Callable[Concatenate[OrgRequest, Arguments], HttpResponseBase]], GatedView]:
    """Declare the permission of each method of a view below ``/orgs/<slug>/``; GET stands for HEAD too.

    Anonymous: sign-in first. Not a member: 404, as for an unknown slug. Denied, here or later by a
    verb: 403, explained.

    ``sensitive``: the methods that ask for the password again unless it was given recently. Where that
    depends on the role to be given, the view calls ``confirm_before_giving``.
    """
    access = OrganizationAccess(Audience.ORGANIZATION, frozenset(permissions), permissions)

    def declare(view: Callable[Concatenate[OrgRequest, Arguments], HttpResponseBase]) -> GatedView:
        @wraps(view)
        def gate(request: OrgRequest, slug: str, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return sign_in_first(request)
            enter_organization(request, slug)
            if not access.allows(request.method):
                return not_allowed(request, access)
            try:
                ensure(request.membership, access.permission(request.method))
                if request.method in sensitive:
                    act = str(access.permission(request.method).label)
                    ensure_recently_authenticated(request, act, organization=request.organization.name)
                return cast("Callable[..., HttpResponseBase]", view)(request, **kwargs)
            except Denied as denied:
                return explain(request, denied)
            except Membership.DoesNotExist:
                # Somebody, perhaps this person, was removed after the request began.
                raise Http404 from None

        gated = cast("GatedView", gate)
        gated.access = access
        return gated

    return declare


def enter_organization(request: OrgRequest, slug: str) -> None:
    """Give the request its organization and the person's membership, in one query.

    Raises Http404 for a person who doesn't belong to it, as for an unknown slug.
    """
    membership = next(iter(_memberships(request.user.pk, slug)), None)
    if membership is None:
        raise Http404
    # The person is known already: no page should have to fetch them again through the membership.
    membership.user = request.user
    request.membership, request.organization = membership, membership.organization


@compiled(Membership)
def _memberships(person: uuid.UUID, slug: str) -> QuerySet[Membership]:
    return Membership.objects.of_person(person).filter(organization__slug=slug)


def explain(request: OrgRequest, denied: Denied) -> HttpResponse:
    """The 403 page: the missing permission, who holds or grants it, and where to ask for it.

    Where the person has lost it to the closing of the organization, it says that instead.
    """
    role, organization = Role(request.membership.role), request.organization
    holders = granting_roles(denied.permission)
    otherwise = permissions_of(role, delegated=organization.managers_manage_managers)
    if organization.is_closing and denied.permission in otherwise:
        return render(request, "403.html", {"closing": True}, status=403)
    if holders == [Role.ADMIN]:
        who = _("Only admins may do this. An admin can change your role.")
    else:
        who = _("Admins and billing managers may do this. An admin can change your role.")
        if Role.MEMBER in holders:
            who = _("Admins and members may do this. An admin can change your role.")
    denial = {
        "permission": denied.permission.value,
        "permission_label": str(denied.permission.label),
        "granters": who,
        "admins": _admins_known_to(request.membership),
        "ask_url": _ask_url(request),
    }
    return render(request, "403.html", {"denial": denial}, status=403)


def _ask_url(request: OrgRequest) -> str:
    """Where to ask for it; empty where nobody can grant anything any more."""
    if not may(request.membership, Permission.ACCESS_REQUEST):
        return ""
    return reverse("access_request", args=[request.organization.slug])


def _admins_known_to(reader: Membership) -> list[str]:
    """The names of some admins, for those who see the members' names."""
    if not may(reader, Permission.MEMBERS_LIST):
        return []
    admins = Membership.objects.for_org(reader.organization).admins().select_related("user")
    return [display_name(admin.user) for admin in admins.order_by("joined_at", "id")[:ADMINS_NAMED]]


def confirm_before_giving(request: OrgRequest, role: Role) -> None:
    """Ask for the password again, unless it was given recently, before somebody new becomes an admin."""
    if role is Role.ADMIN:
        ensure_recently_authenticated(request, _("invite an admin"), organization=request.organization.name)
