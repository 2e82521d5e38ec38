"""Somebody who is not in the organization adds the card that pays, by a link; with and without script."""

import pytest
from playwright.sync_api import expect

from billing.models import BillingAccount
from billing.payment_tokens import payment_url
from orgs.policy import Role
from tests.billing.factories import PaymentLinkFactory
from tests.browser.conftest import NewPage
from tests.browser.person import VISA, Person
from tests.browser.portal import Portal
from tests.factories import MembershipFactory


@pytest.mark.parametrize(
    "script", [pytest.param(True, id="script"), pytest.param(False, id="no-script", marks=pytest.mark.slow)]
)
def test_a_card_is_added_by_a_link_that_then_works_no_more(
    script: bool, portal: Portal, new_page: NewPage
) -> None:
    maker = MembershipFactory(role=Role.BILLING_MANAGER)
    link = PaymentLinkFactory(organization=maker.organization, maker_id=maker.user_id)
    page = new_page(java_script_enabled=script)
    holder = Person(page, portal=portal, script=script)
    page.goto(payment_url(link.pk))
    expect(holder.heading).to_have_text(f"Add a card for {maker.organization.name}")
    page.locator("main form button").click()
    holder.enter_card(VISA)
    expect(page).to_have_url(f"{portal.url}/pay/thanks/")
    portal.let_workers_work()
    assert BillingAccount.objects.get(organization=maker.organization).card_last4 == "4242"
    page.goto(payment_url(link.pk))
    expect(page.locator("main")).not_to_contain_text("type it in on Stripe's page")
