"""The gate of pages outside organizations, and what every gate shares: sign in first, prove yourself again.

A view without a declaration fails a system check, so nothing is open by omission.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import Any, Protocol, cast

from allauth.account.authentication import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _
from django_htmx.middleware import HtmxDetails

from accounts.models import User

# In the session: what a person was about to do when they were asked for the password again.
STEP_TO_CONFIRM = "step_to_confirm"


class SignedInRequest(HttpRequest):
    """The request of a person who has signed in."""

    user: User
    htmx: HtmxDetails


class Audience(StrEnum):
    ANYONE = "anyone"
    SIGNED_IN = "signed in"
    ORGANIZATION = "people of the organization"
    STAFF = "support staff"


@dataclass(frozen=True)
class Access:
    """What a view declares: whom it is for, and the methods that it answers; GET stands for HEAD too."""

    audience: Audience
    methods: frozenset[str]

    def allows(self, method: str | None) -> bool:
        return self.declared(method) in self.methods

    @staticmethod
    def declared(method: str | None) -> str:
        return "GET" if method == "HEAD" else (method or "")


class GatedView(Protocol):
    access: Access

    def __call__(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase: ...


def open_to(audience: Audience, *methods: str) -> Callable[[Callable[..., HttpResponseBase]], GatedView]:
    """Declare a view outside any organization: for anyone, or for everybody who has signed in."""
    access = Access(audience, frozenset(methods))

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


def not_allowed(request: HttpRequest, access: Access) -> HttpResponse:
    """A person who reloads the page that a button led to comes here without having pressed it."""
    return HttpResponseNotAllowed(sorted(access.methods), render_to_string("405.html", request=request))


def sign_in_first(request: HttpRequest, *, resume_at: str | None = None) -> HttpResponse:
    """Send a visitor to the sign-in page, and back afterwards. They are told that what they sent is lost."""
    if request.method in {"GET", "HEAD"}:
        url = request.get_full_path()
    else:
        url = _page_with_the_button(request)
        messages.warning(request, _("You were signed out, so nothing was done. Sign in, then do it again."))
    return redirect_to_login(resume_at or url, str(settings.LOGIN_URL))


def _page_with_the_button(request: HttpRequest) -> str:
    here, referer = request.build_absolute_uri("/"), request.headers.get("Referer", "")
    return f"/{referer.removeprefix(here)}" if referer.startswith(here) else reverse("organizations")


def is_recently_authenticated(request: SignedInRequest) -> bool:
    proofs = [record["at"] for record in get_authentication_records(request, request.user)]
    return bool(proofs) and time.time() - max(proofs) <= settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def ensure_recently_authenticated(request: SignedInRequest, act: str, *, organization: str) -> None:
    """Raise allauth's ReauthenticationRequired unless the person proved themselves within the time-out.

    ``act``: what they are about to do, for the page that asks: somebody else may have left it open for them.
    ``organization``: empty where they choose it afterwards.
    Signing in counts, unlike in allauth's own check: nobody is asked twice within a minute.
    """
    if not is_recently_authenticated(request):
        request.session[STEP_TO_CONFIRM] = {
            "id": get_random_string(12),
            "path": request.get_full_path(),
            "act": act,
            "organization": organization,
        }
        raise ReauthenticationRequired
