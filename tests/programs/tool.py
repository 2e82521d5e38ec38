"""A program that speaks OAuth, and its person's browser."""

import base64
import hashlib
import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from allauth.idp.oidc.models import Client as Registered
from allauth.idp.oidc.models import Token
from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from orgs.models import Membership
from programs.credentials import new_family, save_credential
from programs.models import Connection
from tests.api.program import HANDLER, Program
from tests.programs.factories import BACK, SECRET
from tests.world import signed_in
from tokens.secret import OF_PROGRAM, new_secret

VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
DEVICE_GRANT = Registered.GrantType.DEVICE_CODE.value


class Tool:
    """``registered``: what the portal knows of it."""

    def __init__(self, registered: Registered, *, secret: str = SECRET) -> None:
        self.registered, self.secret = registered, secret
        self.client = Client()
        self.client.handler = HANDLER

    def address(self, **changes: str | None) -> str:
        """Where it sends its person; None leaves a parameter out."""
        asked: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.registered.pk,
            "redirect_uri": BACK,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "state": "st",
            **changes,
        }
        return "/oauth/authorize/?" + urlencode({name: value for name, value in asked.items() if value})

    def post(self, path: str, **data: str | None) -> HttpResponse:
        """Public programs name themselves, others prove who they are."""
        public = self.registered.type == Registered.Type.PUBLIC
        credentials = base64.b64encode(f"{self.registered.pk}:{self.secret}".encode()).decode()
        headers = {} if public else {"Authorization": f"Basic {credentials}"}
        named = {"client_id": self.registered.pk} if public else {}
        sent = urlencode({name: value for name, value in {**named, **data}.items() if value is not None})
        return self.client.post(
            f"/oauth/{path}", sent, content_type="application/x-www-form-urlencoded", headers=headers
        )

    def redeem(self, code: str | None, **changes: str | None) -> HttpResponse:
        asked = {
            "grant_type": "authorization_code",
            "redirect_uri": BACK,
            "code_verifier": VERIFIER,
            **changes,
        }
        return self.post("token/", code=code, **asked)

    def refresh(self, refresh_token: str) -> HttpResponse:
        return self.post("token/", grant_type="refresh_token", refresh_token=refresh_token)

    def begin_on_device(self) -> dict[str, Any]:
        return told(self.post("device/code/"))

    def poll(self, device_code: str, **changes: str) -> HttpResponse:
        return self.post("token/", **{"grant_type": DEVICE_GRANT, "device_code": device_code, **changes})


def told(answer: HttpResponse, status: int = 200) -> Any:
    body = json.loads(answer.content)
    assert answer.status_code == status, body
    return body


def refused(answer: HttpResponse) -> str:
    """The code of the error."""
    assert answer.status_code in {400, 401}, answer.content
    assert answer.headers["Content-Type"] == "application/json"
    return str(json.loads(answer.content)["error"])


def sent_back(answer: HttpResponse) -> dict[str, str]:
    """What the program reads in the address to which its person comes back, which names us each time."""
    assert answer.status_code == 302, answer.content
    address = urlsplit(answer.headers["Location"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == BACK
    told = {name: values[0] for name, values in parse_qs(address.query or address.fragment).items()}
    assert told["iss"] == settings.SITE_URL
    return told


def allow(tool: Tool, membership: Membership, **changes: str | None) -> str:
    """The person presses Allow. Answers the code."""
    browser = signed_in(membership.user)
    choice = {"answer": "allow", "organization": str(membership.organization_id)}
    return sent_back(browser.post(tool.address(**changes), choice))["code"]


def connect(tool: Tool, membership: Membership) -> dict[str, Any]:
    """All of it, to the tokens."""
    return told(tool.redeem(allow(tool, membership)))


def program(tokens: dict[str, Any], membership: Membership) -> Program:
    return Program(membership.organization.slug, tokens["access_token"])


def connected(membership: Membership, registered: Registered) -> Program:
    """A program with an access token, without the way there."""
    connection = Connection.objects.get_or_create(client=registered, membership=membership)[0]
    secret = new_secret(OF_PROGRAM)
    save_credential(Token.Type.ACCESS_TOKEN, secret, connection=connection, family=new_family())
    return Program(membership.organization.slug, secret)
