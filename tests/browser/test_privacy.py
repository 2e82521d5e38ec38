"""What a browser must not keep, and what opening a link must not do."""

from playwright.sync_api import Page, expect

from invitations.claims import Channel, Claim, link
from invitations.models import State
from orgs.policy import Role
from tests.browser.conftest import NewPage
from tests.browser.portal import Portal
from tests.factories import MembershipFactory, UserFactory
from tests.invitations.factories import InvitationFactory


def test_after_sign_out_the_back_button_shows_nothing_of_the_organization(new_page: NewPage) -> None:
    admin = MembershipFactory(role=Role.ADMIN, organization__name="Acme Robotics")
    page = new_page(user=admin.user)
    page.goto(f"/orgs/{admin.organization.slug}/settings/members/")
    expect(page.locator("body")).to_contain_text("Acme Robotics")
    page.get_by_role("button", name=admin.user.name).first.click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Create account")).to_be_visible()
    # Were the page kept, as a whole or in the cache, Playwright would not get to another one, or to that one.
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    for private in ("Acme Robotics", admin.user.name, admin.user.email):
        assert private not in page.content()


def test_a_mailed_link_that_a_script_running_visitor_opens_stays_unanswered(
    portal: Portal, new_page: NewPage
) -> None:
    """As link scanners of mail servers do: open the link in a real browser and wait."""
    invitation = InvitationFactory(email="mira@acme.test")
    visitor = new_page()
    invited = new_page(user=UserFactory(email="mira@acme.test"))
    for page in (visitor, invited):
        wait_on(page, link(Claim(invitation.pk, invitation.generation, Channel.MAIL)))
    invitation.refresh_from_db()
    assert invitation.state == State.PENDING
    assert invitation.organization.memberships.count() == 1, "the inviter"
    expect(invited.get_by_role("button", name="Accept invitation")).to_be_enabled()


def wait_on(page: Page, url: str) -> None:
    """Open a page and let an hour go by for its scripts."""
    page.clock.install()
    page.goto(url, wait_until="networkidle")
    page.clock.run_for("01:00:00")
    page.wait_for_load_state("networkidle")
