"""Every answer, refusals and errors included, carries the headers that browsers protect people by."""

from collections.abc import Callable, Iterator

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path, reverse

from accounts.access import Audience, open_to
from billing_portal.urls import urlpatterns as portal_urls
from orgs.checks import all_routes
from orgs.policy import Role
from tests.sampling import Part, in_parts
from tests.world import World

pytestmark = pytest.mark.django_db

PROTECTION = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}
POLICY = (
    "default-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "object-src 'none'",
    "form-action",
)


@open_to(Audience.ANYONE, "GET")
def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("secret detail")


urlpatterns = [*portal_urls, path("broken/", broken)]


def assert_protected(response: HttpResponse, where: str) -> None:
    for header, value in PROTECTION.items():
        assert response.headers.get(header) == value, f"{where}: {header}"
    assert response.headers["Referrer-Policy"] in {"same-origin", "no-referrer"}, where
    policy = response.headers.get("Content-Security-Policy", "")
    if not where.startswith("/dev/mail/"):
        assert all(part in policy for part in POLICY), f"{where}: {policy}"
    assert "unsafe" not in policy, where


def assert_kept_nowhere(response: HttpResponse, where: str) -> None:
    assert {"private", "no-store"} <= set(response.headers["Cache-Control"].split(", ")), where
    assert "Cookie" in response.headers["Vary"], where
    assert "ETag" not in response.headers, where


@pytest.mark.parametrize(
    "of_admin", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["portal", "admin"]
)
@in_parts(8)
def test_every_page_is_protected_for_everybody(part: Part, of_admin: bool, world: World) -> None:
    for route in part.of(route for route in all_routes() if route.of_admin is of_admin):
        url = world.url(route)
        for client in (world.staff if route.of_admin else world.clients[Role.ADMIN], Client()):
            response = client.get(url)
            assert_protected(response, url)
            assert_kept_nowhere(response, url)


Ask = Callable[[World], HttpResponse]
REFUSALS: dict[str, tuple[int, Ask]] = {
    "no page": (404, lambda world: Client().get("/no/such/page/")),
    "no slash": (301, lambda world: Client().get("/accounts/login")),
    "wrong method": (405, lambda world: world.stranger.delete("/orgs/")),
    "other site's form": (403, lambda world: Client(enforce_csrf_checks=True).post("/accounts/login/")),
    "wrong host": (400, lambda world: Client().get("/accounts/login/", headers={"host": "evil.test"})),
    "unsigned event": (400, lambda world: Client().post("/stripe/webhook/")),
    "denied": (403, lambda world: world.clients[Role.MEMBER].get("/orgs/own/settings/audit/")),
    "stranger": (404, lambda world: world.stranger.get("/orgs/own/")),
    "bad link": (404, lambda world: Client().get("/invitations/x/")),
    "page part without session": (
        200,
        lambda world: Client().get("/orgs/own/", headers={"HX-Request": "true"}),
    ),
}


def test_refusals_are_protected(world: World) -> None:
    for case, (status, ask) in REFUSALS.items():
        response = ask(world)
        assert response.status_code == status, case
        assert_protected(response, case)
        assert_kept_nowhere(response, case)


@override_settings(ROOT_URLCONF=__name__)
def test_a_fault_of_ours_is_protected_and_tells_nothing() -> None:
    response = Client(raise_request_exception=False).get("/broken/")
    assert response.status_code == 500
    assert_protected(response, "fault")
    assert_kept_nowhere(response, "fault")
    body = response.content.decode()
    assert "Something broke on our side" in body
    assert "secret detail" not in body
    assert "RuntimeError" not in body
    assert "Traceback" not in body


@override_settings(WHITENOISE_AUTOREFRESH=False)
def test_files_are_protected_and_may_be_kept() -> None:
    response = Client().get("/static/css/base.css")
    b"".join(response)
    assert response.status_code == 200
    assert_protected(response, "static")
    assert "no-store" not in response.headers["Cache-Control"]
    assert not response.cookies


def test_pages_are_not_answered_conditionally(world: World) -> None:
    """304 tells a cache, or the next person at the browser, that what it holds is still so."""
    client = world.clients[Role.ADMIN]
    headers = {"If-None-Match": "*", "If-Modified-Since": "Mon, 01 Jan 2035 00:00:00 GMT"}
    for name in ("dashboard", "billing", "members"):
        response = client.get(reverse(name, args=["own"]), headers=headers)
        assert response.status_code == 200
        assert "Last-Modified" not in response.headers


def heads(part: Part, world: World) -> Iterator[tuple[str, HttpResponse, HttpResponse]]:
    for client in (world.clients[Role.MEMBER], Client()):
        for route in part.of(all_routes()):
            if route.access is not None:
                url = world.url(route)
                yield url, client.head(url), client.get(url)


@in_parts(12)
def test_head_says_no_more_than_get_and_has_no_body(part: Part, world: World) -> None:
    for url, head, get in heads(part, world):
        assert head.status_code == get.status_code, url
        assert head.getvalue() == b"", url


def test_options_and_trace_say_nothing(world: World) -> None:
    for method in ("OPTIONS", "TRACE"):
        response = world.clients[Role.ADMIN].generic(
            method, "/orgs/own/settings/audit/", HTTP_COOKIE_ECHO="sent-by-browser"
        )
        assert response.status_code == 405
        assert b"sent-by-browser" not in response.content
