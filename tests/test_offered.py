"""No page offers its reader what they may not do: each link and button leads where their role may go."""

import re
from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from django.urls import Resolver404, resolve

from orgs.access import OrganizationAccess
from orgs.models import Membership, Organization
from orgs.policy import Role, may
from tests.browser.pages import pages_for
from tests.test_access import ask
from tests.world import World

TAG = re.compile(r"<(?:a|form|button|div|section)\b[^>]*>")
GETS = re.compile(r'\b(?:href|hx-get)="([^"]*)"')
POSTS = re.compile(r'\b(?:formaction|hx-post)="([^"]*)"')
ACTION = re.compile(r'\baction="([^"]*)"')


def led_to(html: str) -> Iterator[tuple[str, str]]:
    """The methods and addresses of all that can be pressed."""
    for tag in TAG.findall(html):
        yield from (("GET", address) for address in GETS.findall(tag))
        yield from (("POST", address) for address in POSTS.findall(tag))
        method = "POST" if 'method="post"' in tag else "GET"
        yield from ((method, address) for address in ACTION.findall(tag))


class Presses(HTMLParser):
    """Collects all that can be pressed, with the hidden fields of its form."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: dict[str, tuple[str, str, dict[str, str]]] = {}
        self.buttons: list[tuple[str, str, dict[str, str]]] = []
        self._form = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        match tag:
            case "a":
                self.links.append(given.get("href", ""))
            case "form":
                self._form = given.get("id") or f"form {len(self.forms)}"
                self.forms[self._form] = (given.get("method", "get").upper(), given.get("action", ""), {})
            case "input" if given.get("type") == "hidden" and self._form:
                self.forms[self._form][2][given["name"]] = given.get("value", "")
            case "button" if "formaction" in given:
                named = {given["name"]: given.get("value", "")} if "name" in given else {}
                self.buttons.append((given.get("form", self._form), given["formaction"], named))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = ""


def pressed_on(html: str) -> Iterator[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """Method, address and fields of each press."""
    page = Presses()
    page.feed(html)
    yield from (("GET", address, ()) for address in page.links)
    for method, address, fields in page.forms.values():
        yield method, address, sendable(fields)
    for form, address, named in page.buttons:
        method, _address, fields = page.forms[form]
        yield method, address, sendable({**fields, **named})


def sendable(fields: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, value) for name, value in fields.items() if name != "csrfmiddlewaretoken"))


def is_refused(membership: Membership, method: str, address: str) -> bool:
    """Whether an address inside the person's organization refuses them."""
    try:
        match = resolve(urlsplit(address).path)
    except Resolver404:
        return False
    access = getattr(match.func, "access", None)
    if not isinstance(access, OrganizationAccess) or match.kwargs["slug"] != membership.organization.slug:
        return False
    return not access.allows(method) or not may(membership, access.permission(method))


@pytest.mark.slow
@pytest.mark.parametrize("role", [Role.MEMBER, Role.BILLING_MANAGER, Role.ADMIN, Role.BILLING_VIEWER])
def test_no_page_offers_what_its_reader_may_not_do(world: World, role: Role) -> None:
    membership = world.memberships[role]
    pressed = {
        (shown.route.name, method, address)
        for shown in pages_for(world, role.value)
        for method, address in led_to(shown.html)
    }
    assert len(pressed) > 20
    assert [one for one in pressed if is_refused(membership, one[1], one[2])] == []


@pytest.mark.slow
@pytest.mark.parametrize("role", Role)
def test_no_page_of_a_closing_organization_offers_what_it_has_left(world: World, role: Role) -> None:
    Organization.objects.filter(pk=world.organization.pk).update(closes_after=date(2999, 3, 31))
    membership = Membership.objects.select_related("organization").get(pk=world.memberships[role].pk)
    pressed = {
        (shown.route.name, method, address)
        for shown in pages_for(world, role.value)
        for method, address in led_to(shown.html)
    }
    assert [one for one in pressed if is_refused(membership, one[1], one[2])] == []


@pytest.mark.slow
@pytest.mark.parametrize("role", list(Role))
def test_whatever_a_page_offers_answers_its_reader(world: World, role: Role) -> None:
    """Each link and each form is pressed, with what its page sends: none answers 403 or 404."""
    client, inside = world.clients[role], f"/orgs/{world.organization.slug}/"
    presses = {
        (method, address, fields)
        for shown in pages_for(world, role.value)
        if shown.status < 400
        for method, address, fields in pressed_on(shown.html)
        if address.startswith(inside)
    }
    assert {method for method, _address, _fields in presses} == {"GET", "POST"}
    answers = {press: ask(client, press[0], press[1], dict(press[2]))[0] for press in presses}
    assert {press: status for press, status in answers.items() if status in {403, 404}} == {}


def test_what_is_refused_is_found(world: World) -> None:
    manager, slug = world.memberships[Role.BILLING_MANAGER], world.organization.slug
    settings = f"/orgs/{slug}/settings"
    page = f'<form method="post" action="{settings}/billing/pay/"><a href="{settings}/audit/">'
    assert [is_refused(manager, *one) for one in led_to(page)] == [False, True]
