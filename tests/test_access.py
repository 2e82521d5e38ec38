"""Every URL x every method x every kind of visitor: the answer equals the table below.

The table is written by hand and repeats the policy on purpose. Routes come from the resolver, so a URL
without a row fails. Success and refusal share one world and one request: none passes for a wrong reason.
"""

from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from orgs.checks import Route, all_routes
from orgs.models import Membership, Organization
from orgs.policy import Role
from tests.sampling import Part, in_parts, sampled
from tests.world import CANARY, World

METHODS = ("GET", "POST")
# Answered like one of those before, or not allowed.
OTHER_METHODS = ("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE")
ADMIN, MEMBER, MANAGER, VIEWER = Role.ADMIN, Role.MEMBER, Role.BILLING_MANAGER, Role.BILLING_VIEWER
EVERYBODY = {ADMIN, MEMBER, MANAGER, VIEWER}
ADMINS = {ADMIN}
MEMBERS = {ADMIN, MEMBER}
MONEY = {ADMIN, MANAGER}
SEES_MONEY = {ADMIN, MANAGER, VIEWER}


@dataclass(frozen=True)
class Row:
    """Who may use which method of a page inside an organization.

    ``data``: a body that the view accepts. ``answers``: to those who may; Stripe isn't there in these tests.
    """

    get: frozenset[Role] | set[Role] | None = None
    post: frozenset[Role] | set[Role] | None = None
    data: dict[str, str] = field(default_factory=dict)
    answers: frozenset[int] = frozenset({200, 302, 303})

    def roles(self, method: str) -> frozenset[Role] | set[Role] | None:
        return {"GET": self.get, "HEAD": self.get, "POST": self.post}.get(method)


TOKEN = {
    "name": "CI",
    "scopes": "members.list",
    "life": "30",
    "key": "5e2c0d0e-4f0b-4c53-9d0a-0f6a3a1c7b11",
}
INSIDE = {
    "dashboard": Row(get=EVERYBODY),
    "stacks": Row(get=MEMBERS, post=ADMINS, data={"stack": "0~Own stack", "label": "Own label"}),
    "usage_by_day": Row(get=EVERYBODY),
    "usage_by_stack": Row(get=MEMBERS),
    "leave": Row(get=EVERYBODY, post=EVERYBODY),
    "access_request": Row(post=EVERYBODY, data={"permission": "stacks.read"}),
    "roles": Row(get=MEMBERS),
    "audit_log": Row(get=ADMINS),
    "audit_export": Row(post=ADMINS),
    "organization_settings": Row(get=ADMINS, post=ADMINS, data={"name": "New name"}),
    "organization_close": Row(get=ADMINS, post=ADMINS, answers=frozenset({200, 409})),
    "closing_undo": Row(post=ADMINS, data={"shown": ""}),
    "organization_data": Row(post=ADMINS),
    "access_refuse": Row(post=ADMINS, data={"permission": "billing.view"}),
    "member_role": Row(get=ADMINS, post=ADMINS, data={"role": "admin", "shown_role": "member"}),
    "member_remove": Row(get=ADMINS, post=ADMINS, data={"shown_role": "member"}),
    "people_remove": Row(get=ADMINS, post=ADMINS),
    "members": Row(get=MEMBERS),
    "members_invite": Row(get=ADMINS, post=ADMINS, data={"email": "new@example.test", "role": "member"}),
    "members_link": Row(get=ADMINS, post=ADMINS, data={"role": "member"}),
    "managers_invite": Row(get=ADMINS, post=ADMINS, data={"email": "new@example.test"}),
    "managers_link": Row(post=ADMINS),
    "manager_remove": Row(get=ADMINS, post=ADMINS, data={"shown_role": "billing_manager"}),
    "manager_last_day": Row(get=ADMINS, post=ADMINS, data={"last_day": "2999-03-31", "shown_last_day": ""}),
    "invitation_resend": Row(post=ADMINS, data={"generation": "1"}),
    "invitation_copy_link": Row(post=ADMINS, data={"generation": "1"}),
    "invitation_revoke": Row(get=ADMINS, post=ADMINS, data={"generation": "1"}),
    "tokens": Row(get=MEMBERS),
    "token_new": Row(get=MEMBERS, post=MEMBERS, data=TOKEN),
    "organization_token_new": Row(get=ADMINS, post=ADMINS, data=TOKEN),
    "connection_end": Row(get=ADMINS, post=ADMINS),
    "token_revoke": Row(get=MEMBERS, post=MEMBERS, answers=frozenset({200, 302, 404})),
    "teams": Row(get=MEMBERS),
    "team_new": Row(
        get=ADMINS,
        post=ADMINS,
        data={"name": "Platform", "key": "5e2c0d0e-4f0b-4c53-9d0a-0f6a3a1c7b11"},
    ),
    "team": Row(get=MEMBERS),
    "team_change": Row(
        get=ADMINS,
        post=ADMINS,
        data={
            "name": "Platform",
            "description": "Own purpose",
            "shown_name": "Own team",
            "shown_description": "Own purpose",
        },
    ),
    "team_delete": Row(get=ADMINS, post=ADMINS, data={"shown_name": "Own team", "shown_people": "1"}),
    "team_add": Row(get=ADMINS, post=ADMINS, answers=frozenset({200, 422})),
    "team_remove": Row(get=ADMINS, post=ADMINS),
    "webhooks": Row(get=ADMINS),
    "webhook_new": Row(get=ADMINS, post=ADMINS, answers=frozenset({200, 422})),
    "webhook": Row(get=ADMINS),
    "webhook_change": Row(get=ADMINS, post=ADMINS, answers=frozenset({200, 422})),
    "webhook_secret": Row(get=ADMINS, post=ADMINS, data={"version": "1"}),
    "webhook_switch": Row(post=ADMINS, data={"on": "0"}),
    "webhook_test": Row(post=ADMINS),
    "webhook_remove": Row(get=ADMINS, post=ADMINS),
    "webhook_delivery": Row(get=ADMINS),
    "webhook_again": Row(post=ADMINS),
    "billing": Row(get=SEES_MONEY),
    "billing_under_way": Row(get=SEES_MONEY),
    "billing_activity": Row(get=SEES_MONEY),
    "credits": Row(get=SEES_MONEY),
    "payment_links": Row(get=SEES_MONEY),
    "card_link": Row(post=MONEY),
    "invoice_link": Row(post=MONEY),
    "payment_link_copy": Row(post=MONEY),
    "payment_link_revoke": Row(get=MONEY, post=MONEY),
    "warning_hide": Row(post=MONEY),
    "members_warning_hide": Row(post=ADMINS),
    "start_step": Row(post=MONEY, data={"looks_at": "start.hidden"}),
    "editions": Row(get=SEES_MONEY),
    "purchase": Row(get=MONEY, post=MONEY, data={"edition": "enterprise-growth", "shown_price": "price_1"}),
    "purchase_return": Row(get=SEES_MONEY),
    "subscription_cancel": Row(get=MONEY, post=MONEY, data={"shown_end": "2026-12-01T00:00:00+00:00"}),
    "subscription_keep": Row(get=MONEY, post=MONEY, data={"shown_end": ""}, answers=frozenset({302})),
    "card": Row(post=MONEY),
    "plan": Row(get=MONEY, post=MONEY, answers=frozenset({200, 422})),
    "plan_undo": Row(get=MONEY, post=MONEY, answers=frozenset({302, 404})),
    # The edition in these tests sells no seats, and no packs of credits.
    "seats": Row(get=MONEY, post=MONEY, answers=frozenset({404})),
    "credits_buy": Row(get=MONEY, post=MONEY, answers=frozenset({200, 422})),
    "card_return": Row(get=SEES_MONEY),
    "owed_pay": Row(post=MONEY),
    "billing_details": Row(get=MONEY, post=MONEY, answers=frozenset({200, 422})),
    "billing_details_preview": Row(post=MONEY),
    "tax_id_add": Row(post=MONEY, answers=frozenset({422})),
    "tax_id_remove": Row(get=MONEY, post=MONEY),
    "label_costs": Row(get=SEES_MONEY),
    "usage_limits": Row(get=SEES_MONEY, post=MONEY, data={"usage_budget": "25"}),
    "methods": Row(get=SEES_MONEY),
    "method_add": Row(post=MONEY),
    "method_choose": Row(post=MONEY),
    "method_remove": Row(get=MONEY, post=MONEY, answers=frozenset({200, 409})),
    "exports": Row(get=SEES_MONEY),
    "focus_file": Row(get=SEES_MONEY),
    "invoices": Row(get=SEES_MONEY),
    "invoice": Row(get=SEES_MONEY),
    "invoice_pay": Row(post=MONEY),
    "invoice_pdf": Row(get=SEES_MONEY, answers=frozenset({503})),
}

ANYONE = {
    "home": {"GET"},
    "help": {"GET"},
    "role_help": {"GET"},
    "favicon": {"GET"},
    "robots": {"GET"},
    "security": {"GET"},
    "oauth_server": {"GET"},
    "program_authorize": {"GET", "POST"},
    "program_token": {"POST"},
    "program_revoke": {"POST"},
    "device_begin": {"POST"},
    "healthz": {"GET"},
    "readyz": {"GET"},
    "metrics": {"GET"},
    "account_signup": {"GET", "POST"},
    "invitation": {"GET"},
    "invitation_token": {"GET"},
    "invitation_decline": {"GET", "POST"},
    "invitation_ask": {"POST"},
    "pay": {"GET", "POST"},
    "pay_ask": {"POST"},
    "pay_thanks": {"GET"},
    "pay_stopped": {"GET"},
    "stripe_webhook": {"POST"},
    "api_schema": {"GET"},
    "api_docs": {"GET"},
    "dev_mail": {"GET"},
    "dev_mail_html": {"GET"},
    "style_guide": {"GET"},
}

SIGNED_IN = {
    "organizations": {"GET"},
    "new_organization": {"GET", "POST"},
    "profile": {"GET", "POST"},
    "preferences": {"POST"},
    "account_delete": {"GET", "POST"},
    "session_end": {"POST"},
    "programs": {"GET"},
    "program_disconnect": {"GET", "POST"},
    "device": {"GET", "POST"},
    "device_answer": {"GET", "POST"},
    "invitation_accept": {"POST"},
    "viewing_stop": {"POST"},
}

ROUTES = list(all_routes())
# Of the API tests/api/test_access.py has a table.
OURS = [route for route in ROUTES if not (route.of_admin or route.of_api or route.of_library)]
INSIDE_ROUTES = [route for route in OURS if "<slug:slug>" in route.path]


def named(route: Route) -> str:
    return route.name or route.path


def test_every_url_has_a_row() -> None:
    rows = {*INSIDE, *ANYONE, *SIGNED_IN}
    assert {named(route) for route in OURS} == rows


def ask(client: Client, method: str, url: str, data: dict[str, str]) -> tuple[int, str, bytes]:
    """The answer to one request, whose effects are undone: status, where it redirects to, body."""
    # A bare savepoint: inside an atomic block, the gateway would rightly refuse to call Stripe.
    savepoint = transaction.savepoint()
    response = client.generic(method, url, "") if method != "POST" else client.post(url, data)
    body = b"".join(response) if response.streaming else response.content
    transaction.savepoint_rollback(savepoint)
    return response.status_code, response.headers.get("Location", ""), body


of_methods = pytest.mark.parametrize(
    "methods",
    [METHODS, pytest.param(OTHER_METHODS, marks=pytest.mark.slow)],
    ids=["methods", "other-methods"],
)


@of_methods
@pytest.mark.parametrize("route", INSIDE_ROUTES, ids=named)
def test_a_page_of_an_organization_answers_as_the_table_says(
    route: Route, methods: tuple[str, ...], world: World
) -> None:
    row = INSIDE[named(route)]
    url = world.url(route)
    unknown = world.url(route, slug="no-such-organization")
    for method in methods:
        status, location, _ = ask(Client(), method, url, row.data)
        assert (status, urlsplit(location).path) == (302, reverse("account_login")), f"anonymous {method}"

        # The membership is asked for before the method: what holds for these holds for all.
        for outsider in (world.stranger, world.staff) if method in {"GET", "POST"} else ():
            answer = ask(outsider, method, url, row.data)
            assert answer[0] == 404, f"outsider {method}"
            assert answer == ask(outsider, method, unknown, row.data), (
                "an organization that exists looks different"
            )

        for role, client in world.clients.items():
            status, location, _ = ask(client, method, url + world.query(route, role), row.data)
            allowed = row.roles(method)
            if allowed is None:
                assert status == 405, f"{role} {method}"
            elif role in allowed:
                assert status in row.answers, f"{role} {method}"
            else:
                assert status == 403, f"{role} {method}"


@pytest.mark.slow
@pytest.mark.parametrize("route", INSIDE_ROUTES, ids=named)
def test_a_page_of_an_organization_is_not_found_by_outsiders_whatever_they_do(
    route: Route, world: World
) -> None:
    for method in METHODS + OTHER_METHODS:
        for outsider in (world.stranger, world.staff):
            assert ask(outsider, method, world.url(route), INSIDE[named(route)].data)[0] == 404, method


@of_methods
@pytest.mark.parametrize("route", [r for r in OURS if named(r) in SIGNED_IN], ids=named)
def test_a_personal_page_asks_for_a_sign_in(route: Route, methods: tuple[str, ...], world: World) -> None:
    url = world.url(route)
    for method in methods:
        status, location, _ = ask(Client(), method, url, {})
        assert (status, urlsplit(location).path) == (302, reverse("account_login"))
        for client in (*world.clients.values(), world.stranger):
            status, _, _ = ask(client, method, url, {})
            declared = ("GET" if method == "HEAD" else method) in SIGNED_IN[named(route)]
            assert status in ({200, 302, 303, 404, 409, 422} if declared else {405})


@of_methods
@pytest.mark.parametrize("route", [r for r in OURS if named(r) in ANYONE], ids=named)
def test_an_open_page_allows_its_methods_only(route: Route, methods: tuple[str, ...], world: World) -> None:
    url = world.url(route)
    for method in methods:
        status, _, _ = ask(Client(), method, url, {})
        declared = ("GET" if method == "HEAD" else method) in ANYONE[named(route)]
        assert status in ({200, 302, 303, 400, 404, 410} if declared else {405})


ADMIN_ROUTES = [r for r in ROUTES if r.of_admin]
of_admin = pytest.mark.parametrize("route", ADMIN_ROUTES, ids=lambda r: r.path)


@pytest.mark.parametrize("route", sampled(ADMIN_ROUTES, every=4), ids=lambda r: r.path)
def test_the_admin_is_for_staff_with_a_second_factor(route: Route, world: World) -> None:
    for client in (Client(), world.staff_without_second_factor):
        assert_sent_away_from_the_admin(client, route, world)
    status, _, _ = ask(world.staff, "GET", world.url(route), {})
    assert status in {200, 302, 403, 404, 405}


@pytest.mark.slow
@of_admin
def test_the_admin_is_for_nobody_else(route: Route, world: World) -> None:
    for client in (world.stranger, *world.clients.values()):
        assert_sent_away_from_the_admin(client, route, world)


def assert_sent_away_from_the_admin(client: Client, route: Route, world: World) -> None:
    url = world.url(route)
    status, location, _ = ask(client, "GET", url, {})
    assert status == 302, url
    # Signing out of the admin leads to its front page, which asks for the sign-in as well.
    assert "/login/" in location or location in {"/orgs/", "/accounts/2fa/"} or route.name == "logout", url


of_libraries = pytest.mark.parametrize("route", [r for r in ROUTES if r.of_library], ids=lambda r: r.path)


@of_libraries
def test_pages_of_libraries_stand_visitors(route: Route, world: World) -> None:
    for client in (Client(), world.stranger):
        assert_stands(client, route, world)


@pytest.mark.slow
@of_libraries
def test_pages_of_libraries_stand_every_other_visitor(route: Route, world: World) -> None:
    for client in (world.staff, *world.clients.values()):
        assert_stands(client, route, world)


def assert_stands(client: Client, route: Route, world: World) -> None:
    for method in ("GET", "POST"):
        status, _, _ = ask(client, method, world.url(route), {})
        assert status < 500, method


def test_an_anonymous_visitor_comes_back_to_the_page_he_asked_for(world: World) -> None:
    _, location, _ = ask(Client(), "GET", reverse("dashboard", args=[world.organization.slug]), {})
    assert parse_qs(urlsplit(location).query)["next"] == [f"/orgs/{world.organization.slug}/"]


def test_a_part_of_a_page_asked_for_without_a_session_sends_the_whole_page_to_sign_in(world: World) -> None:
    response = Client().get(
        reverse("audit_log", args=[world.organization.slug]), headers={"HX-Request": "true"}
    )
    assert response.status_code == 200
    assert urlsplit(response.headers["HX-Redirect"]).path == reverse("account_login")


def pages_of(world: World) -> list[str]:
    """Each address once; with the other organization's ids too, where it has any."""
    routes = [route for route in ROUTES if not route.of_admin]
    return sorted({world.url(route, foreign=foreign) for route in routes for foreign in (False, True)})


VIEWS = [
    pytest.param(
        visitor,
        headers,
        id=f"{visitor}-{kind}",
        marks=pytest.mark.slow if visitor != MANAGER and (headers or visitor != ADMIN) else (),
    )
    for visitor in (*Role, "stranger", "anonymous")
    for kind, headers in {"page": {}, "part": {"HX-Request": "true"}}.items()
]


@pytest.mark.parametrize(("visitor", "headers"), VIEWS)
@in_parts(6)
def test_no_page_shows_a_byte_of_another_organization(
    part: Part, visitor: Role | str, headers: dict[str, str], world: World
) -> None:
    client = {"stranger": world.stranger, "anonymous": Client(), **world.clients}[visitor]
    for url in part.of(pages_of(world)):
        response = client.get(url, headers=headers)
        body = b"".join(response) if response.streaming else response.content
        assert CANARY.encode() not in body, url
        assert CANARY not in str(response.headers), url


@in_parts(2)
def test_another_organizations_ids_are_not_found_inside_ones_own(part: Part, world: World) -> None:
    asked = 0
    for route in part.of(INSIDE_ROUTES):
        url = world.url(route, foreign=True)
        if url == world.url(route):
            continue
        for method in ("GET", "POST"):
            if INSIDE[named(route)].roles(method):
                status, _, _ = ask(world.clients[ADMIN], method, url, INSIDE[named(route)].data)
                assert status == 404, f"{method} {url}"
                asked += 1
    assert asked


def test_the_canary_is_there_to_be_found(world: World) -> None:
    """Were it not, the tests above could not fail."""
    client = Client()
    client.force_login(world.foreign_admin.user)
    response = client.get(reverse("dashboard", args=[world.foreign.slug]))
    assert CANARY.encode() in response.content
    assert Organization.objects.filter(name__contains=CANARY).exists()
    assert Membership.objects.filter(organization=world.foreign).count() == 6
