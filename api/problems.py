"""Errors as programs read them: RFC 9457, Problem Details for HTTP APIs."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, Throttled, ValidationError

from orgs.errors import Refused, RefusedForNow
from orgs.policy import Denied
from tokens.models import AccessToken, ServiceToken

PATH = "/api/"
CONTENT_TYPE = "application/problem+json"
CLOSING = "The organization is closing, so it can only be read."
CLOSED = "The organization is closed."
NOT_SIGNED_IN = "Send a valid access token: Authorization: Bearer …"
CHALLENGE = {"WWW-Authenticate": "Bearer"}


class FieldError(Schema):
    """``at``: where in the request, as in ``body.email``."""

    at: str
    message: str


class Problem(Schema):
    """An error. ``detail``: what to do. ``permission``: the missing one. ``errors``: what is wrong where."""

    type: str
    title: str
    status: int
    detail: str
    permission: str | None = None
    errors: list[FieldError] | None = None


def problem(
    status: int, detail: str = "", *, headers: dict[str, str] | None = None, **more: object
) -> HttpResponse:
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail or title, **more}
    return HttpResponse(json.dumps(body), status=status, content_type=CONTENT_TYPE, headers=headers)


class ProblemsMiddleware:
    """Words the errors that no endpoint has answered: an unknown address, a large body, a crash."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path_info.startswith(PATH) or response.status_code < 400:
            return response
        if response.headers.get("Content-Type") != CONTENT_TYPE:
            told = problem(response.status_code)
            response.content, response.headers["Content-Type"] = told.content, CONTENT_TYPE
            response.headers.pop("Content-Length", None)
        return response


def answer_problems(api: NinjaAPI) -> None:
    """Let the API answer what its endpoints and the verbs raise. Anything else is a crash, with 500."""
    for kind, answer in ANSWERS.items():
        api.add_exception_handler(kind, answer)


def _not_signed_in(_request: HttpRequest, _error: Any) -> HttpResponse:
    return problem(401, NOT_SIGNED_IN, headers=CHALLENGE)


def _denied(request: Any, error: Any) -> HttpResponse:
    permission = error.permission
    detail = f"This needs the permission {permission.value}: {permission.label}."
    # Outside organizations, and before the product's endpoint has found its own, there is none.
    organization = getattr(request, "organization", None)
    if organization is not None and organization.is_closing:
        detail += f" {CLOSED if organization.closed_at else CLOSING}"
    return problem(403, detail, permission=permission.value)


def _not_found(_request: HttpRequest, _error: Any) -> HttpResponse:
    return problem(404)


def _refused(_request: HttpRequest, error: Any) -> HttpResponse:
    return problem(409, error.told_to_programs)


def _refused_for_now(_request: HttpRequest, error: Any) -> HttpResponse:
    return problem(429, error.told_to_programs, headers={"Retry-After": str(error.wait)})


def _invalid(_request: HttpRequest, error: Any) -> HttpResponse:
    errors = [{"at": _place(one["loc"]), "message": one["msg"]} for one in error.errors]
    return problem(422, "Something in the request is wrong: see errors.", errors=errors)


def _place(parts: tuple[str | int, ...]) -> str:
    """Where in the request: without the name that the endpoint has for all of its body."""
    source, *names = parts
    return ".".join(str(part) for part in (source, *(names[1:] or names)))


def _throttled(_request: HttpRequest, error: Any) -> HttpResponse:
    return problem(
        429,
        f"Too many requests with this token. Go on in {error.wait} seconds.",
        headers={"Retry-After": str(error.wait)},
    )


def _other(_request: HttpRequest, error: Any) -> HttpResponse:
    return problem(error.status_code, str(error))


ANSWERS: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
    AuthenticationError: _not_signed_in,
    # Revoked after the request began.
    AccessToken.DoesNotExist: _not_signed_in,
    ServiceToken.DoesNotExist: _not_signed_in,
    Denied: _denied,
    Http404: _not_found,
    ObjectDoesNotExist: _not_found,
    Refused: _refused,
    RefusedForNow: _refused_for_now,
    ValidationError: _invalid,
    Throttled: _throttled,
    HttpError: _other,
}
