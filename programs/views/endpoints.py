"""What programs ask themselves, without a person: RFC 6749, 7009, 8414 and 8628."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.idp.oidc.internal.oauthlib.utils import convert_response, extract_headers
from allauth.idp.oidc.models import Client
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from oauthlib.oauth2.rfc6749.errors import InvalidRequestError, OAuth2Error, UnauthorizedClientError

from accounts.access import Audience, GatedView, open_to
from accounts.limits import seconds_to_wait
from programs import devices
from programs.credentials import SCOPE
from programs.protocol import RESPONSE_MODES, Server, address_of, device_server

Answer = tuple[dict[str, str], Any, int]


def endpoint(limit: str) -> Callable[[Callable[[HttpRequest], Answer]], GatedView]:
    """Declare an endpoint for programs, which send no cookie that another site could misuse.

    Its errors are JSON, and what it has changed by then is undone, unless it returns the error itself.
    """

    def declare(answer: Callable[[HttpRequest], Answer]) -> GatedView:
        @wraps(answer)
        def view(request: HttpRequest) -> HttpResponse:
            seconds = seconds_to_wait(request, limit)
            if seconds:
                told = {"error": "temporarily_unavailable", "error_description": "Too many requests."}
                return JsonResponse(told, status=429, headers={"Retry-After": str(seconds)})
            try:
                with transaction.atomic():
                    headers, body, status = answer(request)
            except OAuth2Error as error:
                headers, body, status = error.headers, json.loads(error.json), error.status_code
            response: HttpResponse = convert_response(headers, body, status)
            response.headers["Content-Type"] = "application/json"
            return response

        return csrf_exempt(open_to(Audience.ANYONE, "POST")(view))

    return declare


def wire(request: HttpRequest) -> tuple[str, str, str, dict[str, str]]:
    """The request as oauthlib reads it, with what was sent twice."""
    return address_of(request), "POST", request.POST.urlencode(), extract_headers(request)


@endpoint("program_endpoint")
def token(request: HttpRequest) -> Answer:
    answer: Answer = Server().create_token_response(*wire(request))
    return answer


@endpoint("program_endpoint")
def revoke(request: HttpRequest) -> Answer:
    answer: Answer = Server().create_revocation_response(*wire(request))
    return answer


@endpoint("device_begin")
def device_begin(request: HttpRequest) -> Answer:
    if request.GET:
        # As oauthlib's other endpoints refuse it: RFC 6749, 2.3.1.
        raise InvalidRequestError("URL query parameters are not allowed")
    answer: Answer = device_server().create_device_authorization_response(*wire(request))
    client = Client.objects.get(pk=request.POST["client_id"])
    if Client.GrantType.DEVICE_CODE not in client.get_grant_types():
        raise UnauthorizedClientError
    devices.begin(client, answer[1])
    return answer


@open_to(Audience.ANYONE, "GET")
def metadata(_request: HttpRequest) -> HttpResponse:
    """What a program finds out by itself: RFC 8414 and 9207."""
    return JsonResponse(
        {
            "issuer": settings.SITE_URL,
            "authorization_endpoint": settings.SITE_URL + reverse("program_authorize"),
            "token_endpoint": settings.SITE_URL + reverse("program_token"),
            "revocation_endpoint": settings.SITE_URL + reverse("program_revoke"),
            "device_authorization_endpoint": settings.SITE_URL + reverse("device_begin"),
            "scopes_supported": [SCOPE],
            "response_types_supported": ["code"],
            "response_modes_supported": RESPONSE_MODES,
            "authorization_response_iss_parameter_supported": True,
            "grant_types_supported": [
                "authorization_code",
                "refresh_token",
                Client.GrantType.DEVICE_CODE.value,
            ],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "revocation_endpoint_auth_methods_supported": [
                "client_secret_basic",
                "client_secret_post",
                "none",
            ],
            "code_challenge_methods_supported": ["S256"],
            "service_documentation": settings.SITE_URL + reverse("api_docs"),
        }
    )
