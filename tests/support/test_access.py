"""Every URL of the admin x every method x every kind of staff: the answer equals the tables below.

They are written by hand and repeat the policy on purpose. Routes come from the resolver, so a page of ours
without a row fails; Django's own are told by their kind.
"""

from dataclasses import dataclass
from itertools import product
from urllib.parse import urlsplit

import pytest
from django.test import Client

from orgs.checks import Route, all_routes
from orgs.policy import StaffRole
from tests.sampling import Part, in_parts
from tests.test_access import METHODS, OTHER_METHODS, ask
from tests.world import World, staff_with

pytestmark = pytest.mark.django_db

SUPPORT, BILLING = {StaffRole.SUPPORT}, {StaffRole.BILLING_SUPPORT}
BOTH = SUPPORT | BILLING
NOBODY: set[StaffRole] = set()


@dataclass(frozen=True)
class Row:
    """Whose staff may use a method; None: the page doesn't answer to it."""

    get: set[StaffRole] | None = None
    post: set[StaffRole] | None = None

    def roles(self, method: str) -> set[StaffRole] | None:
        return {"GET": self.get, "HEAD": self.get, "POST": self.post}.get(method)


PAGES = {
    "index": Row(get=BOTH),
    "records": Row(get=BOTH, post=BOTH),
    "jsi18n": Row(get=BOTH),
    "support_organization": Row(get=BOTH),
    "support_credits": Row(get=BILLING),
    "support_person": Row(get=BOTH),
    "admin_requests": Row(get=BOTH),
    "merge": Row(get=BILLING),
    "on_demand": Row(get=BOTH, post=BILLING),
    "support_queues": Row(get=BOTH),
    "support_count": Row(get=BOTH),
    "support_count_file": Row(get=BOTH),
}
ACTS = {
    "act_invite": SUPPORT,
    "act_resend_invitation": SUPPORT,
    "act_revoke_invitation": SUPPORT,
    "act_remove_person": SUPPORT,
    "act_change_role": SUPPORT,
    "act_sign_out": SUPPORT,
    "act_ask_admin": SUPPORT,
    "act_grant_admin": SUPPORT,
    "act_refuse_admin": SUPPORT,
    "act_view_as": BOTH,
    "act_send_mail_again": BOTH,
    "act_send_mail_to_another": BOTH,
    "act_replay_event": BILLING,
    "act_retry_operation": BILLING,
    "act_give_up_operation": BILLING,
    "act_reconcile": BILLING,
    "act_extend_grace": BILLING,
    "act_merge_customer": BILLING,
    "act_give_credits": BILLING,
    "act_void_credits": BILLING,
    "act_settle_row": BOTH,
}
# For staff without a session too: opening one, signing out, their own password.
BEFORE_A_SESSION = {
    "staff_session",
    "staff_session_end",
    "login",
    "logout",
    "password_change",
    "password_change_done",
}
# Django's own, though their rows stand above: they tell of no customer.
OF_DJANGO = {"records", "jsi18n"}
# Of Django, which answers to every method: what is shown, and forms that nobody is given.
SHOWN = ("_changelist", "_history", "app_list")
FORMS = ("_add", "_delete")
ADMIN_ROUTES = [route for route in all_routes() if route.of_admin]


def row_of(route: Route) -> Row:
    name = route.name or ""
    if name in ACTS:
        return Row(get=ACTS[name], post=ACTS[name])
    if name in PAGES:
        return PAGES[name]
    if name.endswith(FORMS):
        return Row(get=NOBODY, post=NOBODY)
    if name.endswith("_change"):
        return Row(get=BOTH, post=NOBODY)
    leads_on = not name and route.path.endswith(("(?P<url>.*)$", "<path:object_id>/"))
    assert name.endswith(SHOWN) or leads_on, f"{name} has no row"
    return Row(get=BOTH, post=BOTH)


WALKED = [route for route in ADMIN_ROUTES if route.name not in BEFORE_A_SESSION]


def test_every_page_and_act_has_its_row() -> None:
    ours = {one.name for one in ADMIN_ROUTES if one.view.__module__.startswith("support.")}
    named = {name for name in ours if name and not name.endswith((*SHOWN, *FORMS, "_change"))}
    assert named - BEFORE_A_SESSION == {*PAGES, *ACTS} - {"jsi18n"}


@in_parts(60)
def test_a_page_answers_to_staff_as_the_table_says(part: Part, world: World) -> None:
    clients = {StaffRole.SUPPORT: world.staff, StaffRole.BILLING_SUPPORT: world.billing_support}
    for route, method, role in product(part.of(WALKED), METHODS, clients):
        allowed, url = row_of(route).roles(method), world.url(route)
        status, location, _ = ask(clients[role], method, url, {})
        told = f"{role} {method} {url}: {status} {location}"
        if allowed is None:
            assert status == 405, told
        elif role in allowed:
            # No id of another kind of thing names one, and an empty form is refused.
            assert status in {200, 302, 404, 422}, told
            assert urlsplit(location).path != "/admin/session/", told
        else:
            assert status == 403, told


@pytest.mark.slow
@in_parts(4)
def test_no_other_method_does_more(part: Part, world: World) -> None:
    for route, method in product(part.of(WALKED), OTHER_METHODS):
        url, is_ours = world.url(route), route.name in {*ACTS, *PAGES} - OF_DJANGO
        status, _, _ = ask(world.staff, method, url, {})
        if row_of(route).roles(method) is None and is_ours:
            assert status == 405, f"{method} {url}"
        else:
            assert status in {200, 302, 403, 404, 405}, f"{method} {url}"


@in_parts(60)
def test_whoever_has_no_session_open_is_led_to_open_one(part: Part, world: World) -> None:
    for route, method in product(part.of(WALKED), METHODS):
        status, location, _ = ask(world.staff_without_session, method, world.url(route), {})
        assert (status, urlsplit(location).path) == (302, "/admin/session/"), f"{method} {route.path}"


@in_parts(60)
def test_staff_without_a_role_see_nothing(part: Part, world: World) -> None:
    client = staff_with()
    for route, method in product(part.of(WALKED), METHODS):
        status, _, body = ask(client, method, world.url(route), {})
        assert status in {302, 403, 404, 405} or route.name in OF_DJANGO, f"{method} {route.path}"
        assert world.organization.name.encode() not in body


@in_parts(60)
def test_nobody_else_comes_in(part: Part, world: World) -> None:
    outsiders = (Client(), world.staff_without_second_factor, world.stranger, *world.clients.values())
    for route, method, client in product(part.of(WALKED), METHODS, outsiders):
        status, location, _ = ask(client, method, world.url(route), {})
        assert status == 302, route.path
        assert "/login/" in location or location in {"/orgs/", "/accounts/2fa/"}, route.path
