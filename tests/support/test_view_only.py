"""Whatever staff ask for while they see the portal as somebody: nothing changes, no secret is shown."""

from collections.abc import Sequence

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.urls import reverse

from orgs.checks import Route
from orgs.models import Organization
from orgs.policy import Role
from support.models import StaffRequest
from tests.database import filled_by_tests
from tests.redis_server import RedisServer
from tests.sampling import Part, in_parts
from tests.support import writing_pages
from tests.support.viewing import viewer
from tests.test_access import INSIDE, INSIDE_ROUTES, METHODS, OTHER_METHODS, ROUTES
from tests.test_statements import statements_of
from tests.world import CANARY, World

pytestmark = pytest.mark.django_db

# Written by every request of a viewer: what they asked for.
LOG = "support_staffrequest"
# Of the pages of an organization: secrets and files.
LEFT_OUT = {
    *("tokens", "token_new", "organization_token_new", "token_revoke", "connection_end"),
    *("webhooks", "webhook_new", "webhook", "webhook_change", "webhook_secret", "webhook_remove"),
    *("webhook_delivery", "usage_by_day", "usage_by_stack", "focus_file", "invoice_pdf"),
}
# The probes answer before any session is looked at.
OUTSIDE_ROUTES = [
    route
    for route in ROUTES
    if "<slug:slug>" not in route.path and route.name not in {"viewing_stop", "healthz", "readyz"}
]


@pytest.fixture
def client(world: World) -> Client:
    """Of a staff member who sees what an admin sees."""
    return viewer(world.staff, world.memberships[Role.ADMIN])


def contents() -> dict[str, str]:
    """What each table holds, in short."""
    tables = [table for table in filled_by_tests() if table != LOG]
    each = (
        f"SELECT '{table}', md5(string_agg(t::text, ',' ORDER BY t::text)) FROM \"{table}\" t"
        for table in tables
    )
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(each))
        return dict(cursor.fetchall())


def ask_each(
    client: Client, routes: Sequence[tuple[Route, str]], methods: Sequence[str]
) -> list[tuple[Route, str, int]]:
    """The status of each answer. Nothing is changed by them, and each request is written down."""
    before, noted = contents(), StaffRequest.objects.count()
    answers = []
    for route, url in routes:
        for method in methods:
            data = INSIDE[route.name].data if route.name in INSIDE else {}
            answer = client.post(url, data) if method == "POST" else client.generic(method, url)
            assert CANARY.encode() not in (b"" if answer.streaming else answer.content), url
            answers.append((route, method, answer.status_code))
    assert contents() == before
    assert StaffRequest.objects.count() == noted + len(answers)
    return answers


ROLES = [role if role is Role.ADMIN else pytest.param(role, marks=pytest.mark.slow) for role in Role]


@pytest.mark.parametrize("role", ROLES)
@in_parts(16)
def test_pages_of_the_organization_are_seen_and_change_nothing(role: Role, part: Part, world: World) -> None:
    routes = [(route, world.url(route) + world.query(route, role)) for route in part.of(INSIDE_ROUTES)]
    client = viewer(world.staff, world.memberships[role])
    for route, method, status in ask_each(client, routes, METHODS):
        allowed = INSIDE[str(route.name)].get
        if method == "POST":
            expected = {403}
        elif allowed is None:
            expected = {405}
        elif role in allowed and route.name not in LEFT_OUT:
            expected = {200, 302, 404}
        else:
            expected = {403}
        assert status in expected, (route.name, method)


@pytest.mark.slow
def test_no_other_method_does_anything(client: Client, world: World) -> None:
    routes = [(route, world.url(route)) for route in INSIDE_ROUTES]
    for route, method, status in ask_each(client, routes, OTHER_METHODS):
        assert method == "HEAD" or status == 403, (route.name, method)


@in_parts(40)
def test_nothing_else_of_the_portal_is_seen(part: Part, client: Client, world: World) -> None:
    """The person's account, other lists, programs, the API and the admin."""
    routes = [(route, world.url(route)) for route in part.of(OUTSIDE_ROUTES)]
    for route, method, status in ask_each(client, routes, METHODS):
        # An address that no pattern of its own matches, such as with an id that is none, is found nowhere.
        assert status == 403 or (method, status) == ("GET", 404), (route.path, method)


@in_parts(16)
def test_other_organizations_are_not_found(part: Part, client: Client, world: World) -> None:
    """Not even by somebody who belongs to them."""
    Organization.objects.get(pk=world.foreign.pk).memberships.create(
        user=world.memberships[Role.ADMIN].user, role=Role.ADMIN
    )
    routes = [(route, world.url(route, slug=world.foreign.slug, foreign=True)) for route in INSIDE_ROUTES]
    for route, _method, status in ask_each(client, list(part.of(routes)), ["GET"]):
        assert status == 404, route.name


@pytest.fixture
def _pages_that_write(settings: LazySettings) -> None:
    settings.ROOT_URLCONF = writing_pages.__name__


@pytest.mark.usefixtures("_pages_that_write")
@pytest.mark.parametrize("name", writing_pages.NAMES)
def test_a_page_that_writes_or_asks_stripe_says_that_it_cant_be_seen(name: str, client: Client) -> None:
    before = contents()
    answer = client.get(f"/orgs/own/{name}/")
    assert (answer.status_code, answer.context["why"]) == (403, "not_shown")
    assert contents() == before


@pytest.mark.usefixtures("_pages_that_write")
def test_the_same_pages_write_for_the_person(world: World) -> None:
    """Were it not so, the test above could not fail."""
    client = world.clients[Role.ADMIN]
    assert client.get("/orgs/own/rename/").content == b"renamed"
    assert Organization.objects.filter(name="Renamed").exists()


@pytest.mark.usefixtures("_pages_that_write")
def test_a_press_does_nothing_and_says_so(client: Client) -> None:
    url = "/orgs/own/rename_by_a_press/"
    assert client.get(url).content == b"a form"
    assert client.post(url).context["why"] == "changes"
    part = client.post(url, headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["HX-Refresh"]) == (200, "true")
    assert b"Nothing was done" in client.get(reverse("dashboard", args=["own"])).content
    assert not Organization.objects.filter(name="Renamed").exists()


@pytest.mark.usefixtures("_pages_that_write")
def test_the_workers_are_not_rung_for(
    client: Client, redis_server: RedisServer, django_capture_on_commit_callbacks: object
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:  # type: ignore[operator]
        assert client.get("/orgs/own/ring_the_workers/").content == b"rung"
    assert callbacks == []


def test_a_page_takes_three_statements_more_than_for_the_person(client: Client, world: World) -> None:
    """The staff session, the log, and that the transaction only reads."""
    url = reverse("dashboard", args=["own"])
    taken = []
    for browser in (world.clients[Role.ADMIN], client):
        browser.get(url)
        taken.append(statements_of(browser, url))
    assert taken[1] == taken[0] + 3


def test_what_is_left_out_of_a_part_leads_to_the_page_that_says_so(client: Client) -> None:
    url = reverse("tokens", args=["own"])
    answer = client.get(url, headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == url
    assert client.get(url).context["why"] == "not_shown"
