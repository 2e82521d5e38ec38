"""Staff see the portal as a person sees it, with a banner above each page, and come back."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from orgs.models import Membership
from orgs.policy import Role, StaffRole
from tests.browser.conftest import NewPage
from tests.browser.inspection import faults_of
from tests.browser.portal import Portal
from tests.factories import MembershipFactory
from tests.world import staff_with


@pytest.fixture
def manager(portal: Portal) -> Membership:
    return MembershipFactory(role=Role.BILLING_MANAGER, user__name="Mira Okafor")


@pytest.fixture
def page(manager: Membership, new_page: NewPage) -> Page:
    page = new_page(client=staff_with(StaffRole.SUPPORT))
    page.goto(reverse("admin:act_view_as", args=[manager.pk]))
    return page


def test_staff_look_around_change_nothing_and_come_back(page: Page, manager: Membership) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("View the portal as Mira Okafor?")
    page.get_by_role("button", name="View as this person").click()
    banner = page.get_by_role("region", name="Viewed person")
    expect(banner).to_contain_text("You see what Mira Okafor sees. Nothing can be changed.")
    expect(page.get_by_role("heading", level=1)).to_have_text("Billing & usage")
    assert faults_of(page) == []
    page.get_by_role("link", name="Dashboard").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
    page.mouse.wheel(0, 2000)
    expect(banner).to_be_in_viewport()
    page.get_by_role("link", name="Switch organization").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This can’t be seen this way")
    assert faults_of(page) == []
    banner.get_by_role("button", name="Stop viewing").click()
    expect(page).to_have_url(re.compile("/admin/"))
    page.goto(reverse("dashboard", args=[manager.organization.slug]))
    expect(page.get_by_role("heading", level=1)).to_have_text("Page not found")
    expect(banner).to_be_hidden()
