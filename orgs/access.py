"""The gate in front of every view: who it is for, and which permission each method needs.

A view without a declaration fails a system check, so nothing is open by omission.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, cast

from allauth.account.authentication import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _
from django_htmx.middleware import HtmxDetails

from accounts.models import User
from orgs.models import Membership, Organization
from orgs.policy import Permission, Role, ensure


class SignedInRequest(HttpRequest):
    """The request of a person who has signed in."""

    user: User
    htmx: HtmxDetails


class OrgRequest(SignedInRequest):
    """The request of a member, of whatever role, for a page of the organization."""

    organization: Organization
    membership: Membership


class Audience(StrEnum):
    ANYONE = "anyone"
    SIGNED_IN = "signed in"
    ORGANIZATION = "organization"


@dataclass(frozen=True)
class Access:
    """What a view declares: its audience and, inside an organization, a permission per method."""

    audience: Audience
    methods: frozenset[str]
    permissions: Mapping[str, Permission]

    def allows(self, method: str | None) -> bool:
        return self._declared(method) in self.methods

    def permission(self, method: str | None) -> Permission:
        return self.permissions[self._declared(method)]

    @staticmethod
    def _declared(method: str | None) -> str:
        return "GET" if method == "HEAD" else (method or "")


class GatedView(Protocol):
    access: Access

    def __call__(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase: ...


Arguments = ParamSpec("Arguments")
STEP_TO_CONFIRM = "step_to_confirm"


def requires(
    *, sensitive: Collection[str] = (), **permissions: Permission
) -> Callable[[Callable[Concatenate[OrgRequest, Arguments], HttpResponseBase]], GatedView]:
    """Declare the permission of each method of a view below ``/orgs/<slug>/``; GET stands for HEAD too.

    ``sensitive``: the methods that ask for the password again unless it was given of late. Where that hangs
    on the role that is given, the view calls ``ensure_recently_authenticated_to_give``.
    """
    access = Access(Audience.ORGANIZATION, frozenset(permissions), permissions)

    def declare(view: Callable[Concatenate[OrgRequest, Arguments], HttpResponseBase]) -> GatedView:
        @wraps(view)
        def gate(request: OrgRequest, slug: str, **kwargs: Any) -> HttpResponseBase:
            if not hasattr(request, "membership"):
                # Resumed by allauth after the password was given again, so past the middleware.
                enter_organization(request, slug)
            if not access.allows(request.method):
                return not_allowed(request, access)
            ensure(request.membership, access.permission(request.method))
            if request.method in sensitive:
                ensure_recently_authenticated(request, str(access.permission(request.method).label))
            try:
                return cast("Callable[..., HttpResponseBase]", view)(request, **kwargs)
            except Membership.DoesNotExist:
                # Somebody, perhaps this very person, was removed since the request began.
                raise Http404 from None

        gated = cast("GatedView", gate)
        gated.access = access
        return gated

    return declare


def open_to(audience: Audience, *methods: str) -> Callable[[Callable[..., HttpResponseBase]], GatedView]:
    """Declare a view outside any organization: for anyone, or for whoever has signed in."""
    access = Access(audience, frozenset(methods), {})

    def declare(view: Callable[..., HttpResponseBase]) -> GatedView:
        @wraps(view)
        def gate(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if audience is Audience.SIGNED_IN and not request.user.is_authenticated:
                return sign_in_first(request)
            if not access.allows(request.method):
                return not_allowed(request, access)
            return view(request, *args, **kwargs)

        gated = cast("GatedView", gate)
        gated.access = access
        return gated

    return declare


def enter_organization(request: OrgRequest, slug: str) -> None:
    """Give the request its organization and the person's membership, in one query.

    Raises Http404 for who doesn't belong to it, as for a slug that nobody has.
    """
    try:
        membership = Membership.objects.select_related("organization").get(
            user_id=request.user.pk, organization__slug=slug, organization__closed_at=None
        )
    except Membership.DoesNotExist:
        raise Http404 from None
    # The person is known already: no page should have to fetch him again through the membership.
    membership.user = request.user
    request.membership, request.organization = membership, membership.organization


def not_allowed(request: HttpRequest, access: Access) -> HttpResponse:
    """Whoever reloads a page that a button led to comes to such an address without having pressed it."""
    return HttpResponseNotAllowed(sorted(access.methods), render_to_string("405.html", request=request))


def sign_in_first(request: HttpRequest, *, resume_at: str | None = None) -> HttpResponse:
    """Send a visitor to the sign-in page, and back afterwards. What he sent is not kept, and he is told."""
    if request.method in {"GET", "HEAD"}:
        url = request.get_full_path()
    else:
        url = _page_with_the_button(request)
        messages.warning(request, _("You were signed out, so nothing was done. Sign in, then do it again."))
    return redirect_to_login(resume_at or url, str(settings.LOGIN_URL))


def _page_with_the_button(request: HttpRequest) -> str:
    here, referer = request.build_absolute_uri("/"), request.headers.get("Referer", "")
    return f"/{referer.removeprefix(here)}" if referer.startswith(here) else reverse("organizations")


def ensure_recently_authenticated(request: OrgRequest, act: str) -> None:
    """Raise allauth's ReauthenticationRequired unless the person proved himself within the time-out.

    ``act``: what he is about to do, for the page that asks: somebody else may have left it open for him.

    Signing in counts, unlike in allauth's own check: nobody is asked twice within a minute.
    """
    proofs = [record["at"] for record in get_authentication_records(request, request.user)]
    if not proofs or time.time() - max(proofs) > settings.ACCOUNT_REAUTHENTICATION_TIMEOUT:
        request.session[STEP_TO_CONFIRM] = {
            "id": get_random_string(12),
            "path": request.get_full_path(),
            "act": act,
            "organization": request.organization.name,
        }
        raise ReauthenticationRequired


def ensure_recently_authenticated_to_give(request: OrgRequest, role: Role) -> None:
    """The same before somebody new gets a role, if that role can do everything."""
    if role is Role.ADMIN:
        ensure_recently_authenticated(request, _("invite an admin"))
