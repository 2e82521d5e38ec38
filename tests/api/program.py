"""A program that uses the API by a token, and a person's browser that does so by a session."""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from orgs.models import Membership, Organization
from orgs.policy import HOST_GRANTS, Permission
from tests.tokens.factories import AccessTokenFactory
from tokens.models import ServiceToken
from tokens.secret import OF_ORGANIZATION, OF_PERSON, OF_SERVICE, SHOWN, digest_of, new_secret

ROOT = "/api/v1"
HANDLER = Client().handler


class Program:
    """``secret``: what it shows; None: nothing."""

    def __init__(self, slug: str, secret: str | None) -> None:
        self.slug, self.secret = slug, secret
        self.client = Client(raise_request_exception=False)
        # Its middleware is set up once: for each client anew it would be most of these tests' time.
        self.client.handler = HANDLER

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> HttpResponse:
        """``path``: below the organization; with ``/`` before it, below the API."""
        url = f"{ROOT}{path}" if path.startswith("/") else f"{ROOT}/orgs/{self.slug}{path and '/'}{path}"
        if self.secret is not None:
            headers = {"authorization": f"Bearer {self.secret}", **headers}
        sent = "" if body is None else body if isinstance(body, str) else json.dumps(body)
        return self.client.generic(
            method, url, sent, content_type="application/json" if sent else "", headers=headers
        )

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: object = None, **headers: str) -> HttpResponse:
        return self.ask("POST", path, body, **headers)


def program_of(membership: Membership, *scopes: Permission) -> Program:
    """By a personal token; without ``scopes`` it may all that its person may."""
    secret = new_secret(OF_PERSON)
    AccessTokenFactory(
        organization=membership.organization,
        membership=membership,
        secret=secret,
        scopes=codes(scopes or membership.permissions),
    )
    return Program(membership.organization.slug, secret)


def program_of_organization(organization: Organization, *scopes: Permission) -> Program:
    """By a token of the organization; without ``scopes`` it may all."""
    secret = new_secret(OF_ORGANIZATION)
    AccessTokenFactory(organization=organization, secret=secret, scopes=codes(scopes or Permission))
    return Program(organization.slug, secret)


def program_of_host(*scopes: Permission, days: int = 30) -> Program:
    """The product, by a service token that ends in so many days; without ``scopes`` it may all."""
    secret = new_secret(OF_SERVICE)
    ServiceToken.objects.create(
        name=secret[-6:],
        digest=digest_of(secret),
        start=secret[:SHOWN],
        scopes=codes(scopes or HOST_GRANTS),
        expires_at=timezone.now() + timedelta(days=days),
    )
    return Program("", secret)


def codes(permissions: Iterable[Permission]) -> list[str]:
    return [permission.value for permission in permissions]


def told(answer: HttpResponse, status: int = 200) -> Any:
    """The JSON of an answer."""
    body = json.loads(answer.content) if answer.content else None
    assert answer.status_code == status, body
    return body


def is_problem(answer: HttpResponse, status: int) -> Any:
    body = told(answer, status)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (body["type"], body["status"]) == ("about:blank", status)
    assert body["title"]
    assert body["detail"]
    return body
