"""Inviting an admin with an old sign-in, from pages and dialogs: after the password the step is done once."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from invitations.models import Invitation
from orgs.models import Membership
from orgs.policy import Role
from tests.browser.conftest import NewPage
from tests.browser.person import Person
from tests.browser.portal import Portal
from tests.factories import PASSWORD, MembershipFactory
from tests.invitations.factories import InvitationFactory
from tests.world import signed_in

LEE = "lee@ledger.test"

pytestmark = pytest.mark.parametrize(
    "script",
    [pytest.param(True, id="script"), pytest.param(False, id="no-script", marks=pytest.mark.slow)],
)


@pytest.fixture
def admin(portal: Portal) -> Membership:
    return MembershipFactory(role=Role.ADMIN)


@pytest.fixture
def ada(admin: Membership, portal: Portal, new_page: NewPage, script: bool) -> Person:
    """The admin, who signed in an hour ago, at the members page."""
    client = signed_in(admin.user, ago=timedelta(hours=1))
    page = new_page(
        client=client, java_script_enabled=script, permissions=["clipboard-read", "clipboard-write"]
    )
    page.goto(f"/orgs/{admin.organization.slug}/settings/members/")
    return Person(page, portal, script)


def give_password(person: Person) -> None:
    expect(person.page).to_have_url(re.compile("/accounts/reauthenticate/"))
    expect(person.heading).to_have_text("Confirm it is you")
    person.page.get_by_label("Password").fill(PASSWORD)
    person.press("Continue")


def copies_the_only_link(person: Person) -> None:
    """The link is on a page of its own now, and there is one."""
    expect(person.heading).to_have_text("Invite link for one admin")
    if person.script:
        person.press("Copy")
        expect(person.page.get_by_role("button", name="Copied")).to_be_visible()
    link = person.page.get_by_label("Invite link", exact=True).input_value()
    assert str(Invitation.objects.get().role) == Role.ADMIN
    person.follow("Done")
    expect(person.heading).to_have_text("Members")
    person.page.context.clear_cookies()
    person.page.goto(link)
    expect(person.heading).to_contain_text("Join")


def test_an_admin_is_invited_by_mail(ada: Person) -> None:
    ada.follow("Invite member")
    ada.expect_dialog()
    ada.page.get_by_label("Email address").fill(LEE)
    ada.page.get_by_label("Admin").check()
    ada.press("Send invitation")
    give_password(ada)
    expect(ada.told).to_have_text(f"Invitation sent to {LEE}.")
    expect(ada.heading).to_have_text("Members")
    expect(ada.row(LEE)).to_have_count(1)
    expect(ada.row(LEE)).to_contain_text("Admin")
    assert Invitation.objects.count() == 1


def test_a_link_for_an_admin_is_made(ada: Person) -> None:
    ada.follow("Copy invite link")
    ada.expect_dialog()
    ada.page.get_by_label("Admin").check()
    ada.press("Copy invite link")
    give_password(ada)
    copies_the_only_link(ada)


def test_the_link_of_an_admins_invitation_is_copied(ada: Person, admin: Membership) -> None:
    InvitationFactory(organization=admin.organization, inviter=admin, role=Role.ADMIN, email=LEE)
    ada.page.reload()
    ada.row(LEE).get_by_role("button", name=f"Actions for the invitation of {LEE}").click()
    ada.press("Copy link")
    give_password(ada)
    copies_the_only_link(ada)


def test_a_link_for_a_member_stays_in_its_dialog(ada: Person) -> None:
    ada.follow("Copy invite link")
    ada.page.get_by_label("Member").check()
    ada.press("Copy invite link")
    expect(ada.page.get_by_role("heading", name="Invite link for one member")).to_be_visible()
    ada.expect_dialog()


def test_who_was_signed_out_meanwhile_signs_in_and_comes_back(ada: Person) -> None:
    ada.page.context.clear_cookies()
    ada.follow("Invite member")
    expect(ada.page).to_have_url(re.compile("/accounts/login/"))
    ada.fill_in_sign_in(Membership.objects.get().user.email)
    expect(ada.heading).to_have_text("Invite member")
