"""The gate in front of every endpoint: who asks, for which organization, and whether they may.

A program shows an access token, its own or by OAuth, a page of ours its person's session with the CSRF token.
Anonymous: 401. Of another organization: 404, as for one that there isn't. Lacking the permission: 403.
"""

from dataclasses import dataclass

from django.http import Http404, HttpRequest
from ninja.errors import AuthenticationError, HttpError, Throttled
from ninja.utils import check_csrf

from accounts.models import User
from orgs.access import OrgRequest, enter_organization
from orgs.models import Membership
from orgs.policy import Permission, ensure
from programs.models import Connection
from programs.selectors import connection_of, is_of_program
from tokens.limits import TooManyRequests, count_request
from tokens.models import AccessToken
from tokens.selectors import token_of

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class ApiRequest(OrgRequest):
    """A request that has passed the gate. ``principal``: who asks; ``token``: by which access token or
    connected program, None for a session.

    Outside organizations there are ``user`` and ``token`` only.
    """

    principal: Membership | AccessToken
    token: AccessToken | Connection | None


@dataclass(frozen=True)
class Needs:
    """What an endpoint declares. ``permission``: None outside organizations, for all who are signed in.

    ``asks``: it changes nothing, though it is sent by POST, since the question is long.
    """

    permission: Permission | None
    asks: bool = False

    def __call__(self, request: ApiRequest) -> bool:
        """Let the request through. Raises what ``api.problems`` answers."""
        _identify(request)
        if self.permission is not None:
            _enter(request)
            ensure(request.principal, self.permission)
        if request.method not in SAFE_METHODS and request.body and not _is_json(request):
            raise HttpError(415, "Send the body as application/json.")
        return True


def _identify(request: ApiRequest) -> None:
    shown = request.headers.get("Authorization")
    if shown is None:
        request.token = None
        _ensure_session(request)
        return
    scheme, _space, secret = shown.partition(" ")
    token = _shown_as(secret) if scheme.lower() == "bearer" else None
    if token is None:
        raise AuthenticationError
    try:
        count_request(token)
    except TooManyRequests as error:
        raise Throttled(error.wait) from None
    request.token = token


def _shown_as(secret: str) -> AccessToken | Connection | None:
    return connection_of(secret) if is_of_program(secret) else token_of(secret)


def _ensure_session(request: HttpRequest) -> None:
    if not isinstance(request.user, User):
        raise AuthenticationError
    if request.method not in SAFE_METHODS and check_csrf(request) is not None:
        raise HttpError(403, "Send the CSRF token of your session: X-CSRFToken.")


def _enter(request: ApiRequest) -> None:
    slug = request.resolver_match.kwargs["slug"] if request.resolver_match else ""
    if request.token is None:
        enter_organization(request, slug)
        request.principal = request.membership
        return
    request.organization = request.token.organization
    if request.organization.slug != slug:
        raise Http404
    request.principal = request.token.principal


def _is_json(request: HttpRequest) -> bool:
    return request.content_type == "application/json"
