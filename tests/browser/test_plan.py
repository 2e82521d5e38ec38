"""Another plan, from the billing page and back: chosen, seen, asked for, and undone."""

import pytest
from django.test import Client
from playwright.sync_api import expect

from orgs.policy import Role
from tests.billing.mishaps import Clock
from tests.billing.plans import Customer
from tests.browser.conftest import NewPage
from tests.browser.portal import Portal
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory


@pytest.mark.parametrize("script", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_an_admin_plans_a_downgrade_and_undoes_it(portal: Portal, new_page: NewPage, *, script: bool) -> None:
    organization = OrganizationFactory(slug="acme", name="Acme Robotics")
    admin = MembershipFactory(organization=organization, role=Role.ADMIN)
    for name in ("Bilal Haddad", "Lena Fischer"):
        MembershipFactory(organization=organization, role=Role.BILLING_MANAGER, user=UserFactory(name=name))
    account = portal.stripe.account_for(organization)
    portal.stripe.attach_default(account)
    customer = Customer(portal.stripe, account, admin, Clock(), Client())
    customer.buy("enterprise-growth")

    page = new_page(user=admin.user, java_script_enabled=script)
    page.goto("/orgs/acme/settings/billing/")
    page.get_by_role("link", name="Change plan").click()
    page.get_by_role("radio", name="Team Growth").check()
    if not script:
        page.get_by_role("button", name="Show what you pay").click()
    expect(page.get_by_text("Today you pay")).to_be_visible()
    expect(page.locator(".figure").first).to_have_text("$0.00")
    page.get_by_role("radio", name="Lena Fischer").check()
    page.get_by_role("button", name="Change to Team Growth on").click()
    expect(page.locator(".banner strong")).to_contain_text("Changes to Team Growth on")

    page.get_by_role("link", name="Undo").click()
    page.get_by_role("button", name="Undo change").click()
    expect(page.locator("#messages")).to_contain_text("The plan stays as it is.")
    assert customer.subscription().schedule is None
