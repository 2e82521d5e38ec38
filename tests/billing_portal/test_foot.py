"""What every page has: whom to ask, at its end, and a name of its own."""

import re

import pytest
from django.conf import LazySettings
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from orgs import views
from orgs.policy import Role
from tests.browser.pages import VISITORS, pages_for
from tests.factories import UserFactory
from tests.sampling import sampled
from tests.world import World

SUPPORT = "help@acme.test"


@pytest.fixture
def world(world: World, settings: LazySettings, written_anew: None) -> World:
    settings.SUPPORT_EMAIL = SUPPORT
    return world


def ends_with_the_support_address(page: str) -> bool:
    foot = re.search(r'<footer class="foot.*?</footer>', page, re.DOTALL)
    return bool(foot and f'href="mailto:{SUPPORT}"' in foot[0] and "<h1" not in page[foot.end() :])


@pytest.mark.slow
@pytest.mark.parametrize("visitor", sampled(VISITORS, every=3))
def test_every_page_says_whom_to_ask_and_what_it_is(visitor: str, world: World) -> None:
    seen = set()
    for shown in pages_for(world, visitor):
        assert ends_with_the_support_address(shown.html), shown.url
        title = re.search(r"<title>(.*?)</title>", shown.html, re.DOTALL)
        own_title = title[1].split("·")[0].strip() if title else ""
        assert own_title not in {"", "Please confirm"}, f"{shown.url} has no title of its own"
        seen.add(shown.status)
    assert 200 in seen


def broken_with(error: Exception, client: Client, monkeypatch: pytest.MonkeyPatch) -> HttpResponse:
    def broken(*_args: object) -> None:
        raise error

    monkeypatch.setattr(views, "roles_page", broken)
    client.raise_request_exception = False
    return client.get(reverse("roles", args=["own"]))


@pytest.mark.parametrize(("error", "status"), [(RuntimeError(), 500), (BadRequest(), 400)])
def test_a_page_that_breaks_says_it_too(
    error: Exception, status: int, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = broken_with(error, world.clients[Role.ADMIN], monkeypatch)
    assert answer.status_code == status
    assert ends_with_the_support_address(answer.content.decode())


def test_a_page_that_refuses_says_it_too(world: World, settings: LazySettings) -> None:
    admin, manager = world.clients[Role.ADMIN], world.clients[Role.BILLING_MANAGER]
    strict = Client(enforce_csrf_checks=True)
    answers = [
        manager.get(reverse("audit_log", args=["own"])),
        strict.post(reverse("account_login"), {"login": "nobody@acme.test", "password": "wrong"}),
        Client().get("/nowhere/"),
        admin.get("/nowhere/"),
        admin.get(reverse("managers_link", args=["own"])),
    ]
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/h/ip"}
    for _attempt in range(2):
        last = Client().post(reverse("account_login"), {"login": "nobody@acme.test", "password": "wrong"})
    answers.append(last)
    assert [answer.status_code for answer in answers] == [403, 403, 404, 404, 405, 429]
    for answer in answers:
        assert ends_with_the_support_address(answer.content.decode()), answer.status_code


@pytest.mark.parametrize(
    "template", ["400.html", "403.html", "403_csrf.html", "404.html", "429.html", "500.html"]
)
def test_an_error_page_needs_no_context_and_no_database_for_it(
    template: str, settings: LazySettings, written_anew: None
) -> None:
    settings.SUPPORT_EMAIL = SUPPORT
    assert ends_with_the_support_address(render_to_string(template))


def test_the_companys_own_pages_are_linked_where_there_are_some(settings: LazySettings) -> None:
    links = {name: f"https://acme.test/{name.lower()}" for name in ("HELP_URL", "TERMS_URL", "PRIVACY_URL")}
    page = render_to_string("500.html")
    assert "Terms" not in page
    assert "Privacy" not in page
    for name, address in links.items():
        setattr(settings, name, address)
    page = render_to_string("500.html")
    for address in links.values():
        assert f'href="{address}"' in page


def test_an_anonymous_visitor_of_an_unknown_page_is_offered_the_sign_in(world: World) -> None:
    anonymous = Client().get("/nowhere/").content.decode()
    assert "right account" not in anonymous
    assert f'href="{reverse("account_login")}"' in anonymous
    assert "right account" in world.clients[Role.ADMIN].get("/nowhere/").content.decode()


def test_nothing_is_said_after_a_sign_in(db: None) -> None:
    user = UserFactory()
    user.set_password("a long password")
    user.save()
    client = Client()
    sent = {"login": user.email, "password": "a long password"}
    client.post(reverse("account_login"), sent)
    response = client.get(reverse("organizations"))
    assert user.email in response.content.decode()
    assert not list(response.context["messages"])


def test_the_language_is_neither_american_nor_british(world: World) -> None:
    assert '<html lang="en">' in world.clients[Role.ADMIN].get("/orgs/").content.decode()
