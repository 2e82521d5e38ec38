"""Every act on money in a browser, by each role that may, with and without script."""

from itertools import product

import pytest
from django.test import Client
from playwright.sync_api import expect

from orgs.policy import Role
from tests.billing.mishaps import Clock
from tests.billing.plans import Customer
from tests.browser.acts import Act, Scene, act
from tests.browser.conftest import NewPage
from tests.browser.pages import client_of
from tests.browser.person import Person
from tests.browser.portal import Portal
from tests.browser.watch import Watch
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory
from tests.sampling import sampled
from tests.world import build_world

# Each act is one of `acts.py`; who may not, sees no button: `tests/test_offered.py`, and below.
CLIPBOARD = ["clipboard-read", "clipboard-write"]
ROWS = product(act.all, (Role.ADMIN, Role.BILLING_MANAGER), (True, False))


@pytest.fixture
def scene(role: Role, script: bool, portal: Portal, new_page: NewPage, watch: Watch) -> Scene:
    # The preview of what is typed gives up its request when more is typed.
    watch.expect_logs("htmx:sendAbort", "htmx:afterRequest")
    organization = OrganizationFactory(slug="acme", name="Acme Robotics")
    user = UserFactory(name="Ada Lindqvist", email="ada@acme.test")
    membership = MembershipFactory(organization=organization, role=role, user=user)
    account = portal.stripe.account_for(organization)
    portal.stripe.attach_default(account)
    customer = Customer(portal.stripe, account, membership, Clock(), Client())
    customer.hear()

    def browser(**signed_in: object) -> Person:
        page = new_page(java_script_enabled=script, permissions=CLIPBOARD, **signed_in)
        return Person(page, portal, script)

    return Scene(browser(user=user), membership, customer, browser)


@pytest.mark.parametrize(
    ("do", "role", "script"),
    sampled(list(ROWS), every=21),
)
def test_an_act_on_money_is_done_and_told(do: Act, role: Role, script: bool, scene: Scene) -> None:
    do(scene)


REFUSED = {
    "member": "You can't open this page",
    "anonymous": "Sign in",
    "stranger": "Page not found",
}
PLACES = ("", "invoices/", "methods/", "payment-links/", "details/", "plan/", "under-way/")


@pytest.mark.parametrize("visitor", sampled(list(REFUSED), every=3))
def test_who_may_not_act_on_money_sees_no_way_to(visitor: str, new_page: NewPage) -> None:
    world = build_world()
    page = new_page(client=client_of(world, visitor))
    home = f"/orgs/{world.organization.slug}/settings/billing/"
    for place in PLACES:
        page.goto(home + place)
        expect(page.get_by_role("heading", level=1)).to_have_text(REFUSED[visitor])
        ways = page.locator(f'[href^="{home}"], [action^="{home}"], [formaction^="{home}"]')
        expect(ways).to_have_count(0)
