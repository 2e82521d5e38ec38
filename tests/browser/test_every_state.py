"""Pages that take steps to get to, as axe sees them: open menus and dialogs, refused forms, errors.

Together with test_every_page.py these are all pages there are.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import LazySettings
from django.core.exceptions import BadRequest
from django.utils import timezone
from playwright.sync_api import Page, expect

from billing.models import BillingAccount, Invoice, InvoiceStatus
from invitations.models import Invitation, Reason
from invitations.tokens import Channel, Claim, link
from orgs import views
from orgs.models import Organization
from orgs.policy import Role
from tests.browser.conftest import NewPage
from tests.browser.inspection import faults_of
from tests.browser.person import DECLINED, Person
from tests.browser.portal import Portal
from tests.factories import PASSWORD, MembershipFactory, OrganizationFactory, UserFactory
from tests.invitations.factories import InvitationFactory
from tests.world import World, build_world

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Stage:
    """Where a page is brought into its state."""

    world: World
    portal: Portal
    new_page: NewPage
    settings: LazySettings
    monkeypatch: pytest.MonkeyPatch

    def visitor(self) -> Page:
        return self.new_page()

    def admin(self, path: str = "") -> Page:
        """The admin's page at a path below the organization's."""
        page = self.new_page(user=self.world.memberships[Role.ADMIN].user)
        page.goto(f"/orgs/{self.world.organization.slug}/{path}")
        return page

    def invited(self) -> Page:
        """A visitor who has opened an invitation's link."""
        invited = InvitationFactory(organization=self.world.organization)
        page = self.visitor()
        page.goto(link(Claim(invited.pk, invited.generation, Channel.MAIL)))
        return page

    def factor_form(self) -> Page:
        """The set-up of an authenticator app, for which an admin has given the password again."""
        page = self.password_asked_again()
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Continue").click()
        expect(page.locator("#authenticator-secret")).to_be_visible()
        return page

    def password_asked_again(self) -> Page:
        page = self.admin()
        page.goto("/accounts/2fa/totp/activate/")
        return page

    def with_second_factor(self) -> Page:
        """An admin who has just set up two-step sign-in and sees the recovery codes."""
        page = self.factor_form()
        secret = page.locator("#authenticator-secret").input_value()
        page.get_by_label("Authenticator code").fill(code_of(secret))
        page.get_by_role("button", name="Turn on two-step sign-in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
        return page


def code_of(secret: str) -> str:
    """The present code of an authenticator app that holds the secret (RFC 6238)."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


State = Callable[[Stage], Page]
STATES: list[State] = []


def state(prepare: State) -> State:
    STATES.append(prepare)
    return prepare


# Signing in and up


@state
def sign_in_refused(stage: Stage) -> Page:
    page = stage.visitor()
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill("nobody@acme.test")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    return page


@state
def sign_up_refused(stage: Stage) -> Page:
    page = stage.visitor()
    page.goto("/accounts/signup/")
    page.get_by_label("Email").fill("new@acme.test")
    page.get_by_label("Name").fill("New")
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("alert")).to_be_visible()
    return page


@state
def address_to_verify(stage: Stage) -> Page:
    page = stage.visitor()
    person = Person(page, stage.portal)
    page.goto("/accounts/signup/")
    page.get_by_label("Email").fill("new@acme.test")
    page.get_by_label("Name").fill("New")
    page.get_by_label("Password").fill(PASSWORD)
    person.press("Create account")
    expect(person.heading).to_have_text("Check your email")
    page.goto(stage.portal.link_mailed_to("new@acme.test"))
    return page


@state
def new_password(stage: Stage) -> Page:
    page = stage.visitor()
    email = stage.world.memberships[Role.ADMIN].user.email
    page.goto("/accounts/password/reset/")
    page.get_by_label("Email").fill(email)
    page.get_by_role("button").last.click()
    expect(page).to_have_url(f"{stage.portal.url}/accounts/password/reset/done/")
    page.goto(stage.portal.link_mailed_to(email))
    expect(page.get_by_label("New password").first).to_be_visible()
    return page


@state
def sign_in_with_second_factor(stage: Stage) -> Page:
    page = stage.with_second_factor()
    page.context.clear_cookies()
    Person(page, stage.portal).page.goto("/accounts/login/")
    Person(page, stage.portal).fill_in_sign_in(stage.world.memberships[Role.ADMIN].user.email)
    expect(page).to_have_url(f"{stage.portal.url}/accounts/2fa/authenticate/")
    return page


@state
def too_many_attempts(stage: Stage) -> Page:
    stage.settings.ACCOUNT_RATE_LIMITS = {"login": "1/h/ip"}
    page = sign_in_refused(stage)
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Too many attempts")
    return page


# Two-step sign-in


@state
def password_asked_again(stage: Stage) -> Page:
    return stage.password_asked_again()


@state
def factor_form(stage: Stage) -> Page:
    return stage.factor_form()


@state
def factor_form_refused(stage: Stage) -> Page:
    page = stage.factor_form()
    page.get_by_label("Authenticator code").fill("000000")
    page.get_by_role("button", name="Turn on two-step sign-in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    return page


@state
def recovery_codes(stage: Stage) -> Page:
    return stage.with_second_factor()


@state
def new_recovery_codes(stage: Stage) -> Page:
    page = stage.with_second_factor()
    page.goto("/accounts/2fa/recovery-codes/generate/")
    return page


@state
def two_step_sign_in_on(stage: Stage) -> Page:
    page = stage.with_second_factor()
    page.goto("/accounts/2fa/")
    return page


@state
def two_step_sign_in_off(stage: Stage) -> Page:
    page = stage.with_second_factor()
    page.goto("/accounts/2fa/totp/deactivate/")
    return page


@state
def second_factor_asked_again(stage: Stage) -> Page:
    page = stage.with_second_factor()
    page.goto("/accounts/2fa/reauthenticate/?next=/orgs/")
    expect(page).to_have_url(f"{stage.portal.url}/accounts/2fa/reauthenticate/?next=/orgs/")
    return page


# Invitations


@state
def invitation(stage: Stage) -> Page:
    return stage.invited()


@state
def invitation_for_another_address(stage: Stage) -> Page:
    invited = InvitationFactory(organization=stage.world.organization)
    page = stage.new_page(user=UserFactory())
    page.goto(link(Claim(invited.pk, invited.generation, Channel.MAIL)))
    return page


@state
def invitation_ready_to_accept(stage: Stage) -> Page:
    invited = InvitationFactory(organization=stage.world.organization)
    page = stage.new_page(user=UserFactory(email=invited.email))
    page.goto(link(Claim(invited.pk, invited.generation, Channel.MAIL)))
    expect(page.get_by_role("button", name="Accept invitation")).to_be_visible()
    return page


@state
def invitation_listed(stage: Stage) -> Page:
    invited = InvitationFactory(organization=stage.world.organization)
    page = stage.new_page(user=UserFactory(email=invited.email))
    page.goto("/orgs/")
    expect(page.get_by_role("button", name="Open invitation")).to_be_visible()
    return page


@state
def invited_sign_up(stage: Stage) -> Page:
    page = stage.invited()
    page.get_by_role("link", name="Create account").click()
    expect(page.get_by_label("Email")).not_to_be_editable()
    return page


@state
def decline_asked(stage: Stage) -> Page:
    page = stage.invited()
    page.goto("/invitations/decline/")
    return page


@state
def decline_dialog(stage: Stage) -> Page:
    page = stage.invited()
    page.get_by_role("link", name="Decline invitation").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    return page


@state
def declined(stage: Stage) -> Page:
    page = decline_dialog(stage)
    page.get_by_role("dialog").get_by_role("button", name="Decline invitation").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You declined the invitation")
    return page


@state
def invitation_ended(stage: Stage) -> Page:
    overtaken = InvitationFactory(organization=stage.world.organization, generation=2)
    page = stage.visitor()
    page.goto(link(Claim(overtaken.pk, 1, Channel.MAIL)))
    expect(page.get_by_role("heading", level=1)).to_have_text("This invitation no longer works")
    return page


# An organization's pages


@state
def navigation_on_a_phone(stage: Stage) -> Page:
    page = stage.admin()
    page.set_viewport_size({"width": 390, "height": 800})
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("link", name="Members", exact=True)).to_be_visible()
    return page


@state
def account_menu(stage: Stage) -> Page:
    page = stage.admin()
    page.get_by_role("button", name="Own admin").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    return page


@state
def usage_as_table(stage: Stage) -> Page:
    page = stage.admin()
    page.get_by_text("Show as table").click()
    return page


@state
def menu_of_a_member(stage: Stage) -> Page:
    page = stage.admin("settings/members/")
    page.get_by_role("button", name="Actions for Own other", exact=True).click()
    return page


@state
def menu_of_an_invitation(stage: Stage) -> Page:
    page = stage.admin("settings/billing/")
    page.get_by_role("button", name="Actions for the invitation of own.invited@example.test").click()
    return page


@state
def invite_dialog(stage: Stage) -> Page:
    page = stage.admin("settings/members/")
    page.get_by_role("link", name="Invite member").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    return page


@state
def invite_refused(stage: Stage) -> Page:
    page = stage.admin("settings/billing/managers/invite/")
    page.get_by_label("Email address").fill("own.invited@")
    page.get_by_role("button", name="Send invitation").click()
    expect(page.get_by_role("alert")).to_be_visible()
    return page


@state
def link_dialog(stage: Stage) -> Page:
    page = stage.admin("settings/billing/")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy Billing Manager invite link").click()
    expect(page.get_by_label("Invite link", exact=True)).to_be_visible()
    return page


@state
def link_refused(stage: Stage) -> Page:
    page = stage.admin("settings/billing/")
    Organization.objects.filter(pk=stage.world.organization.pk).update(edition_code="team-growth")
    page.get_by_role("button", name="Copy Billing Manager invite link").click()
    expect(page.get_by_role("dialog")).to_contain_text("No invite link was made")
    return page


@state
def invitation_that_could_not_be_accepted(stage: Stage) -> Page:
    Invitation.objects.filter(organization=stage.world.organization).update(
        last_error=Reason.values[0], last_error_by="Mira Okafor", last_error_at=timezone.now()
    )
    page = stage.admin("settings/billing/")
    expect(page.locator("#billing-managers")).to_contain_text("Mira Okafor could not accept.")
    return page


@state
def new_organization_refused(stage: Stage) -> Page:
    page = stage.admin()
    page.goto("/orgs/new/")
    page.get_by_role("textbox").fill("   ")
    page.get_by_role("button", name="Create organization").click()
    expect(page.get_by_role("alert")).to_be_visible()
    return page


@state
def audit_log_of_one_action(stage: Stage) -> Page:
    return stage.admin("settings/audit/?person=nobody")


# Money


@state
def payment_failed(stage: Stage) -> Page:
    account = BillingAccount.objects.get(organization=stage.world.organization)
    account.card_exp_month, account.card_exp_year = 1, 2026
    account.save()
    Invoice.objects.filter(organization=stage.world.organization).update(
        status=InvoiceStatus.OPEN,
        amount_paid=0,
        amount_remaining=7500,
        attempt_count=1,
        charged_automatically=True,
        next_attempt_at=timezone.now() + timedelta(days=2),
    )
    page = stage.admin("settings/billing/")
    expect(page.locator("main")).to_contain_text("could not be charged")
    return page


@state
def invoice_to_pay(stage: Stage) -> Page:
    payment_failed(stage)
    return stage.admin(f"settings/billing/invoices/{stage.world.own_ids['invoice_id']}/")


@state
def pdf_missing(stage: Stage) -> Page:
    Invoice.objects.update(pdf_url="")
    page = stage.admin(f"settings/billing/invoices/{stage.world.own_ids['invoice_id']}/pdf/")
    expect(page.get_by_role("heading", level=1)).to_have_text("PDF not available")
    return page


@state
def card_declined_on_the_simulated_page(stage: Stage) -> Page:
    organization = OrganizationFactory()
    membership = MembershipFactory(organization=organization, role=Role.ADMIN)
    page = stage.new_page(user=membership.user)
    page.goto(f"/orgs/{organization.slug}/settings/billing/")
    person = Person(page, stage.portal)
    person.press("Add card")
    person.enter_card(DECLINED)
    expect(page.get_by_role("alert")).to_be_visible()
    return page


# Nothing there yet


@pytest.mark.parametrize(
    "path", ["", "settings/billing/", "settings/billing/invoices/", "settings/members/", "settings/audit/"]
)
def test_axe_finds_nothing_in_an_empty_organization(path: str, portal: Portal, new_page: NewPage) -> None:
    admin = MembershipFactory(role=Role.ADMIN)
    page = new_page(user=admin.user)
    page.goto(f"/orgs/{admin.organization.slug}/{path}")
    faults = faults_of(page)
    assert not faults, "\n".join(faults)


# Nothing works


def refused_with(error: Exception) -> State:
    def prepare(stage: Stage) -> Page:
        def broken(*_args: object) -> None:
            raise error

        stage.monkeypatch.setattr(views, "roles_page", broken)
        return stage.admin("settings/roles/")

    return prepare


@state
def server_error(stage: Stage) -> Page:
    return refused_with(RuntimeError("broken on purpose"))(stage)


@state
def bad_request(stage: Stage) -> Page:
    return refused_with(BadRequest("bad on purpose"))(stage)


@state
def form_expired(stage: Stage) -> Page:
    page = stage.visitor()
    page.goto("/accounts/login/")
    page.context.clear_cookies()
    Person(page, stage.portal).fill_in_sign_in("nobody@acme.test")
    expect(page.get_by_role("heading", level=1)).to_have_text("That form is out of date")
    return page


@pytest.mark.parametrize("prepare", STATES, ids=lambda prepare: prepare.__name__)
def test_axe_finds_nothing_in_any_state(
    prepare: State,
    portal: Portal,
    new_page: NewPage,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = prepare(Stage(build_world(), portal, new_page, settings, monkeypatch))
    faults = faults_of(page)
    assert not faults, "\n".join(faults)
