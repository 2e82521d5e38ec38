"""No form of another site changes anything: every unsafe method wants our token and our origin."""

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from orgs.checks import Route, all_routes
from orgs.models import Membership
from orgs.policy import Role
from tests.sampling import Part, in_parts
from tests.test_access import INSIDE
from tests.world import World, signed_in

pytestmark = pytest.mark.django_db

# What programs send, without a session.
EXEMPT = {"stripe_webhook", "program_token", "program_revoke", "device_begin"}
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


def strict(client: Client) -> Client:
    """The same browser, at a server that checks tokens, as a real one does."""
    checked = Client(enforce_csrf_checks=True)
    checked.cookies = client.cookies
    return checked


def token_of(client: Client) -> str:
    """The token of a form on a page; the browser keeps its half as a cookie."""
    body = client.get("/orgs/new/").content.decode()
    return body.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]


def ask(client: Client, method: str, route: Route, world: World, **headers: str) -> int:
    data = INSIDE[route.name].data if route.name in INSIDE else {}
    url = world.url(route)
    response = (
        client.post(url, data, headers=headers)
        if method == "POST"
        else client.generic(method, url, headers=headers)
    )
    return response.status_code


@in_parts(6)
def test_every_route_refuses_a_form_without_our_token(part: Part, world: World) -> None:
    client = strict(world.clients[Role.ADMIN])
    # The API's gate asks a session for it: tests/api/test_gate.py.
    for route in part.of(all_routes()):
        if not (route.of_admin or route.of_api) and route.name not in EXEMPT:
            assert ask(client, "POST", route, world) == 403, route
    admin_pages = [route for route in all_routes() if route.of_admin]
    for route in part.of(admin_pages[::5]):
        assert ask(strict(world.staff), "POST", route, world) == 403, route


@pytest.mark.parametrize("method", UNSAFE)
def test_no_method_and_no_header_stands_in_for_the_token(method: str, world: World) -> None:
    client = strict(world.clients[Role.ADMIN])
    for route in all_routes():
        if route.name in {"member_role", "card", "invitation_accept", "account_login", "account_email"}:
            for headers in (
                {"HX-Request": "true"},
                {"X-Requested-With": "XMLHttpRequest"},
                {"Content-Type": "text/plain"},
                {"X-CSRFToken": "x" * 32},
                {"X-HTTP-Method-Override": "GET"},
            ):
                assert ask(client, method, route, world, **headers) == 403, (route, headers)


def test_only_stripes_webhook_is_exempt() -> None:
    ours = [route for route in all_routes() if not route.of_api]
    exempt = {route.name for route in ours if getattr(route.view, "csrf_exempt", False)}
    assert exempt == EXEMPT


def test_the_token_alone_will_do(member: Membership) -> None:
    """Else the refusals above could have another reason."""
    client = strict(signed_in(member.user))
    answer = client.post("/orgs/new/", {"name": "Ledger", "csrfmiddlewaretoken": token_of(client)})
    assert answer.status_code == 302


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.test",
        "http://testserver.evil.test",
        "http://evil-testserver",
        "https://testserver",
        "null",
    ],
)
def test_another_origin_is_refused_though_it_has_the_token(origin: str, member: Membership) -> None:
    client = strict(signed_in(member.user))
    answer = client.post(
        "/orgs/new/", {"name": "Ledger", "csrfmiddlewaretoken": token_of(client)}, headers={"Origin": origin}
    )
    assert answer.status_code == 403
    assert "That form is out of date" in answer.content.decode()


def test_another_persons_token_is_refused(member: Membership, admin: Membership) -> None:
    theirs = token_of(strict(signed_in(admin.user)))
    client = strict(signed_in(member.user))
    token_of(client)
    assert client.post("/orgs/new/", {"name": "Ledger", "csrfmiddlewaretoken": theirs}).status_code == 403


def test_the_token_changes_at_sign_in(member: Membership) -> None:
    client = Client()
    client.get(reverse("account_login"))
    before = client.cookies[settings.CSRF_COOKIE_NAME].value
    client.post(reverse("account_login"), {"login": member.user.email, "password": "correct horse battery"})
    assert client.cookies[settings.CSRF_COOKIE_NAME].value != before
