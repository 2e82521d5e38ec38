"""Signing in and up, two-step sign-in, answering an invitation: what takes steps to get to, as axe sees it.

Together with test_organization_states.py and test_every_page.py these are all pages there are.
"""

from datetime import datetime

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from billing.payment_tokens import payment_url
from invitations.claims import Channel, Claim, link
from orgs.policy import Role
from tests.billing.factories import PaymentLinkFactory
from tests.browser.inspection import faults_of
from tests.browser.person import Person
from tests.browser.stage import Stage, State, States
from tests.factories import PASSWORD, UserFactory
from tests.invitations.factories import InvitationFactory

pytestmark = pytest.mark.slow

state = States()


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
    email = stage.world.memberships[Role.MEMBER].user.email
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


@state
def form_expired(stage: Stage) -> Page:
    page = stage.visitor()
    page.goto("/accounts/login/")
    page.context.clear_cookies()
    Person(page, stage.portal).fill_in_sign_in("nobody@acme.test")
    expect(page.get_by_role("heading", level=1)).to_have_text("That form is out of date")
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
    expect(page.get_by_role("button", name="Accept invitation")).to_be_visible()
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
    page.goto(f"{page.url}decline/")
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


# A link for somebody who should not join


def payment_link_page(stage: Stage, **fields: datetime) -> Page:
    maker = stage.world.memberships[Role.ADMIN]
    link = PaymentLinkFactory(organization=maker.organization, maker_id=maker.user_id, **fields)
    page = stage.visitor()
    page.goto(payment_url(link.pk))
    return page


@state
def payment_link(stage: Stage) -> Page:
    page = payment_link_page(stage)
    expect(page.locator("main form button")).to_be_visible()
    return page


@state
def payment_link_that_was_revoked(stage: Stage) -> Page:
    return payment_link_page(stage, revoked_at=timezone.now())


@pytest.mark.parametrize("prepare", state.all, ids=lambda prepare: prepare.__name__)
def test_axe_finds_nothing_in_any_state(prepare: State, stage: Stage) -> None:
    faults = faults_of(prepare(stage))
    assert not faults, "\n".join(faults)
