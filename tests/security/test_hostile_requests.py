"""No request is answered with a fault: every address, every method, everything that hostile.py lists."""

from collections.abc import Iterable, Iterator

import pytest
from django.test import Client
from django.urls import reverse

from orgs.checks import Route, all_routes
from orgs.models import Membership
from orgs.policy import Role
from tests.conftest import SignIn
from tests.sampling import Part, in_parts
from tests.security.hostile import BODIES, CONTENT_TYPES, EVERYTHING
from tests.security.wire import FORM, Hostile, send
from tests.world import PARAMETER, World

pytestmark = pytest.mark.django_db

ROUTES = list(all_routes())
VISITORS = ["anonymous", *(role.value for role in Role), "staff"]
OTHER_METHODS = ["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "BREW"]
NOTHING = Hostile()


def client_of(world: World, visitor: str) -> Client:
    return {"anonymous": Client(), "staff": world.staff, **world.clients}[visitor]


def address(world: World, route: Route, hostile: Hostile) -> str:
    """The route's address in this world; where its parts are hostile, all but the organization's own."""
    if not hostile.piece:
        return world.url(route)
    path = PARAMETER.sub(lambda match: "{slug}" if "slug" in match[0] else "{piece}", route.path)
    return world.url(Route(path, route.view, route.name)).format(slug="own", piece=hostile.piece)


def faults(
    world: World, client: Client, requests: Iterable[tuple[str, Route, str]]
) -> Iterator[tuple[str, str, str]]:
    """Those of the requests (method, route, name of what is hostile) that were answered with a fault."""
    for method, route, name in requests:
        answer = send(client, method, address(world, route, EVERYTHING[name]), EVERYTHING[name])
        if answer.is_fault:
            yield f"{method} /{route.path}", name, repr(answer.error)


@pytest.mark.parametrize("of_admin", [False, True], ids=["portal", "admin"])
@in_parts(12)
def test_no_address_has_a_fault(part: Part, of_admin: bool, world: World) -> None:
    """Each address by three methods, each with the next visitor and the next hostile thing of the table.

    Of the admin's pages, which are alike for each model, each by the next one of them.
    """
    names = list(EVERYTHING)
    found = []
    for number, route in part.of(enumerate(route for route in ROUTES if route.of_admin is of_admin)):
        methods = list(enumerate(("GET", "POST", OTHER_METHODS[number % len(OTHER_METHODS)])))
        for step, method in methods[number % 3 :: 3] if of_admin else methods:
            # Steps that share no factor with the table's length, so that rows and routes meet anew.
            name = names[(7 * number + 41 * step) % len(names)]
            visitor = "staff" if of_admin and step < 2 else VISITORS[(number + step) % len(VISITORS)]
            found += faults(world, client_of(world, visitor), [(method, route, name)])
    assert found == []


PAGES_THAT_READ = {
    "sign-up": ("POST", "/accounts/signup/", "anonymous"),
    "an invitation": ("POST", "/orgs/own/settings/billing/managers/invite/", "admin"),
    "a list of the admin": ("GET", "/admin/invitations/invitation/", "staff"),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "page",
    [
        "an invitation",
        *(pytest.param(page, marks=pytest.mark.slow) for page in ("sign-up", "a list of the admin")),
    ],
)
def test_pages_that_read_all_they_get_take_everything(page: str, world: World) -> None:
    method, path, visitor = PAGES_THAT_READ[page]
    client = client_of(world, visitor)
    answers = {name: send(client, method, path, hostile) for name, hostile in EVERYTHING.items()}
    assert {name: answer for name, answer in answers.items() if answer.is_fault} == {}


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_foreign_charset_is_no_fault(content_type: str, method: str) -> None:
    answer = send(Client(), method, "/accounts/login/", CONTENT_TYPES[content_type])
    # allauth answers JSON with the errors of its form.
    assert answer.status == (400 if method == "POST" and "json" in content_type else 200), answer.error


@pytest.mark.parametrize("charset", ["hex", "utf-7", "utf-16", "latin-1"])
def test_whatever_charset_is_stated_a_form_is_read_as_utf_8(
    charset: str, admin: Membership, sign_in: SignIn
) -> None:
    url = reverse("organization_settings", args=[admin.organization.slug])
    # By post() the client itself would write the body in that charset.
    sign_in(admin).generic("POST", url, b"name=S%C3%B8n+%2BAAA-", content_type=f"{FORM}; charset={charset}")
    admin.organization.refresh_from_db()
    assert admin.organization.name == "S\u00f8n +AAA-"


def test_an_address_with_a_nul_is_not_found(world: World) -> None:
    for path in ("/admin/billing/stripeevent/a%00b/change/", "/orgs/own%00/", "/%00", "/invitations/%00/"):
        assert send(world.staff, "GET", path, NOTHING).status == 404, path


def hostile_to(route: Route, method: str) -> list[str]:
    """What makes a difference there: a part of the path where it has one of its own, a body where it is read.

    Each page takes every eighth, and the admin's, which are alike for each model, every thirteenth:
    neighbors take the rest.
    """
    has_piece = any("slug" not in parameter[0] for parameter in PARAMETER.finditer(route.path))
    names = [
        name
        for name, hostile in EVERYTHING.items()
        if (has_piece or not hostile.piece) and (method == "POST" or name not in BODIES)
    ]
    step = 13 if route.of_admin else 8
    return names[ROUTES.index(route) % step :: step]


@pytest.mark.slow
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_no_address_has_a_fault_whatever_comes(route: Route, world: World) -> None:
    visitors = ["staff"] if route.of_admin else ["anonymous", "admin"]
    for visitor in visitors:
        for method in ("GET", "POST"):
            requests = ((method, route, name) for name in hostile_to(route, method))
            assert list(faults(world, client_of(world, visitor), requests)) == []
