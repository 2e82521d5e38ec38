"""The gate in front of every endpoint: who asks, for which organization, and whether they may.

A program shows an access token, its own or by OAuth, a page of ours its person's session with the CSRF token.
Anonymous: 401. Of another organization: 404, as for one that there isn't. Lacking the permission: 403. The
product beside the portal shows a service token, which opens what is declared for it, and nothing else.
"""

import uuid
from dataclasses import dataclass

from django.http import Http404, HttpRequest
from ninja.errors import AuthenticationError, HttpError, Throttled
from ninja.utils import check_csrf

from accounts.models import User
from orgs.access import OrgRequest, enter_organization
from orgs.models import Membership
from orgs.policy import Denied, Permission, ensure
from programs.models import Connection
from programs.selectors import connection_of, is_of_program
from tokens.limits import TooManyRequests, count_request
from tokens.models import AccessToken, ServiceToken
from tokens.selectors import service_token_of, token_of

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class ApiRequest(OrgRequest):
    """A request that has passed the gate. ``principal``: who asks; ``token``: by which access token or
    connected program, None for a session.

    Outside organizations there are ``user`` and ``token`` only; for the product, ``host`` alone.
    ``asker_id``: of the token, or of the person in a session.
    """

    principal: Membership | AccessToken
    token: AccessToken | Connection | None
    host: ServiceToken
    asker_id: uuid.UUID


@dataclass(frozen=True)
class Needs:
    """What an endpoint declares. ``permission``: None outside organizations, for all who are signed in.

    ``asks``: it changes nothing, though it is sent by POST, since the question is long. ``reads``: the types
    of a large body, which the endpoint reads itself as it comes.
    """

    permission: Permission | None
    asks: bool = False
    reads: frozenset[str] = frozenset()

    def __call__(self, request: ApiRequest) -> bool:
        """Let the request through. Raises what ``api.problems`` answers."""
        _identify(request)
        if self.permission is not None:
            _enter(request)
            ensure(request.principal, self.permission)
        if not self.reads:
            _ensure_json(request)
        elif request.content_type not in self.reads:
            raise HttpError(415, f"Send the body as {' or '.join(sorted(self.reads))}.")
        return True


@dataclass(frozen=True)
class HostNeeds(Needs):
    """What an endpoint for the product declares: nobody else passes, whatever they may do."""

    permission: Permission

    def __call__(self, request: ApiRequest) -> bool:
        secret = _secret_in(request)
        token = service_token_of(secret) if secret is not None else None
        if token is None:
            _identify(request)
            raise Denied(self.permission)
        _count(request, token)
        request.host = token
        ensure(token, self.permission)
        _ensure_json(request)
        return True


def _identify(request: ApiRequest) -> None:
    secret = _secret_in(request)
    if secret is None:
        request.token = None
        _ensure_session(request)
        request.asker_id = request.user.pk
        return
    token = _shown_as(secret)
    if token is None:
        if service_token_of(secret) is not None:
            raise HttpError(403, "A service token is for provisioning alone.")
        raise AuthenticationError
    _count(request, token)
    request.token = token


def _secret_in(request: HttpRequest) -> str | None:
    """What a program shows; None: nothing, so that the session counts. Raises AuthenticationError."""
    shown = request.headers.get("Authorization")
    if shown is None:
        return None
    scheme, _space, secret = shown.partition(" ")
    if scheme.lower() != "bearer":
        raise AuthenticationError
    return secret


def _count(request: ApiRequest, token: AccessToken | Connection | ServiceToken) -> None:
    try:
        count_request(token)
    except TooManyRequests as error:
        raise Throttled(error.wait) from None
    request.asker_id = token.pk


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


def _ensure_json(request: HttpRequest) -> None:
    if request.method not in SAFE_METHODS and request.body and request.content_type != "application/json":
        raise HttpError(415, "Send the body as application/json.")
