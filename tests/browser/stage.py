"""Where pages that take steps to get to are brought into their state."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import LazySettings
from playwright.sync_api import Page, expect

from invitations.claims import Channel, Claim, link
from orgs.policy import Role
from tests.browser.portal import Portal
from tests.factories import PASSWORD
from tests.invitations.factories import InvitationFactory
from tests.world import World


@dataclass(frozen=True)
class Stage:
    """A world in the portal, and browsers for it."""

    world: World
    portal: Portal
    new_page: Callable[..., Page]
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


@dataclass
class States:
    """The states of a topic: a decorator that keeps each function that brings a page into one."""

    all: list[State] = field(default_factory=list)

    def __call__(self, prepare: State) -> State:
        self.all.append(prepare)
        return prepare
