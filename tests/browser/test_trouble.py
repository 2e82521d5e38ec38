"""Requests that fail, are given up, or are sent twice: what the page makes of them."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from invitations.models import Invitation
from orgs.policy import Role
from tests.browser.conftest import NewPage
from tests.browser.person import Person
from tests.browser.portal import Portal
from tests.browser.watch import Watch
from tests.invitations.factories import InvitationFactory
from tests.world import World, build_world

DID_NOT_REACH_US = "That did not reach us. Check your connection, then try again."
LINK = "Copy billing manager invite link"

Trouble = Callable[[Route], None]


@pytest.fixture
def world(transactional_db: None) -> World:
    return build_world()


@pytest.fixture
def ada(world: World, portal: Portal, new_page: NewPage) -> Person:
    """The admin, at *Billing & usage*."""
    page = new_page(user=world.memberships[Role.ADMIN].user)
    page.goto(f"/orgs/{world.organization.slug}/settings/billing/")
    return Person(page, portal)


def offline(route: Route) -> None:
    route.abort("internetdisconnected")


def broken(route: Route) -> None:
    route.fulfill(status=500, body="Broken")


def forbidden(route: Route) -> None:
    route.fulfill(status=403, body="Forbidden")


@pytest.mark.parametrize("trouble", [offline, broken])
def test_a_button_whose_request_fails_says_so_and_works_again_afterwards(
    ada: Person, watch: Watch, trouble: Trouble
) -> None:
    watch.expect_logs("Failed to load resource: net::ERR_INTERNET_DISCONNECTED", "htmx:", "Response Status")
    requests = "**/managers/link/"
    here = ada.page.url
    ada.page.route(requests, trouble)
    ada.page.evaluate("window.stays = true")
    ada.press(LINK)
    expect(ada.told).to_have_text(DID_NOT_REACH_US)
    assert ada.page.url == here
    assert ada.page.evaluate("window.stays"), "the page was loaded anew"
    assert not Invitation.objects.filter(kind="link").exists()

    ada.page.unroute(requests)
    ada.press(LINK)
    expect(ada.page.get_by_role("dialog")).to_have_accessible_name("Invite link for one billing manager")


def test_a_button_that_is_refused_shows_the_page_as_it_is_now(ada: Person, watch: Watch) -> None:
    watch.expect_logs("Response Status")
    ada.page.route("**/managers/link/", forbidden)
    ada.page.evaluate("window.stays = true")
    with ada.page.expect_navigation():
        ada.press(LINK)
    assert ada.page.evaluate("window.stays") is None
    expect(ada.heading).to_have_text("Billing & usage")


def test_a_link_whose_dialog_fails_leads_to_its_page(ada: Person, watch: Watch) -> None:
    watch.expect_logs("Failed to load resource", "htmx:")
    ada.page.route("**/managers/invite/", offline, times=1)
    ada.follow("Invite billing manager")
    expect(ada.page).to_have_url(re.compile("/managers/invite/$"))
    expect(ada.heading).to_have_text("Invite billing manager")


# Forms without htmx. Their requests are given up as soon as they are made, as by Esc.

GIVE_UP = """() => {
  window.sent = [];
  addEventListener("submit", (event) => {
    if (!event.defaultPrevented) window.sent.push(event.submitter.formAction);
    event.preventDefault();
  });
}"""


@pytest.fixture
def rows(ada: Person, world: World) -> list[str]:
    """The labels of the menus of two invitations, on a page whose requests are given up."""
    invited = [InvitationFactory(organization=world.organization) for _row in range(2)]
    ada.page.reload()
    ada.page.evaluate(GIVE_UP)
    return [f"Actions for the invitation of {invitation.email}" for invitation in invited]


def send_again(ada: Person, row: str) -> None:
    ada.press(row)
    ada.page.get_by_role("button", name="Send again").dispatch_event("click")
    ada.page.keyboard.press("Escape")


def sent(ada: Person) -> list[str]:
    return list(ada.page.evaluate("window.sent"))


def test_a_button_pressed_twice_sends_its_form_once(ada: Person, rows: list[str]) -> None:
    for _press in range(2):
        send_again(ada, rows[0])
    assert len(sent(ada)) == 1


def test_what_was_given_up_in_one_row_holds_up_no_other(ada: Person, rows: list[str]) -> None:
    for row in rows:
        send_again(ada, row)
    assert len(set(sent(ada))) == 2


def test_a_button_works_again_on_a_page_that_is_shown_again(ada: Person, rows: list[str]) -> None:
    send_again(ada, rows[0])
    assert ada.page.locator("[data-busy]").count() == 1
    ada.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    assert ada.page.locator("[data-busy]").count() == 0
    send_again(ada, rows[0])
    assert len(sent(ada)) == 2


# A dialog whose form is refused


def invite(person: Person, email: str) -> None:
    person.follow("Invite billing manager")
    person.expect_dialog()
    person.page.get_by_label("Email address").fill(email)
    person.press("Send invitation")


def test_what_is_wrong_in_a_dialog_is_said_there_once(ada: Person, world: World) -> None:
    here = ada.page.url
    member = world.memberships[Role.MEMBER].user.email
    invite(ada, member)
    dialog, address = ada.page.get_by_role("dialog"), ada.page.get_by_label("Email address")
    expect(dialog.get_by_role("alert")).to_have_text(f"{member} belongs to Own organization already.")
    expect(dialog.get_by_text("belongs to")).to_have_count(1)
    expect(address).to_be_focused()
    assert ada.page.url == here
    address.fill("new@ledger.test")
    ada.press("Send invitation")
    expect(ada.told).to_have_text("Invitation sent to new@ledger.test.")
    expect(dialog).to_have_count(0)


def test_the_dialog_leads_to_the_role_of_who_is_in_already(ada: Person, world: World) -> None:
    invite(ada, world.memberships[Role.MEMBER].user.email)
    ada.follow("Change the role instead")
    expect(ada.page.get_by_role("dialog").get_by_role("heading")).to_contain_text(
        "Make Own member a billing manager?"
    )
    ada.press("Change role")
    expect(ada.told).to_contain_text("is billing manager now.")


def test_the_good_ones_of_a_list_are_sent_and_the_field_keeps_the_others(ada: Person) -> None:
    invite(ada, "Lee Doe <new@ledger.test>; lee.ledger.test")
    dialog = ada.page.get_by_role("dialog")
    expect(dialog.get_by_role("status")).to_have_text("Invitation sent to new@ledger.test.")
    expect(ada.page.get_by_label("Email address")).to_have_value("lee.ledger.test")
    expect(ada.page.locator("#billing-managers")).to_contain_text("new@ledger.test")


def test_without_script_it_is_said_on_the_page_once(world: World, portal: Portal, new_page: NewPage) -> None:
    page = new_page(user=world.memberships[Role.ADMIN].user, java_script_enabled=False)
    page.goto(f"/orgs/{world.organization.slug}/settings/billing/")
    member = world.memberships[Role.MEMBER].user.email
    invite(Person(page, portal, script=False), member)
    expect(page.get_by_text("belongs to")).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_text("Invite billing manager")
