"""From no plan to a subscription through Stripe's page, to its end and back; with and without script."""

import pytest
from playwright.sync_api import expect

from tests.billing.sales import put_up_for_sale
from tests.browser.conftest import NewPage
from tests.browser.person import VISA, Person
from tests.browser.portal import Portal
from tests.factories import UserFactory


@pytest.mark.parametrize(
    "script", [pytest.param(True, id="script"), pytest.param(False, id="no-script", marks=pytest.mark.slow)]
)
def test_a_new_organization_buys_an_edition_cancels_and_keeps_it(
    script: bool, portal: Portal, new_page: NewPage
) -> None:
    put_up_for_sale(portal.stripe)
    page = new_page(user=UserFactory(name="Ada Lindqvist"), java_script_enabled=script)
    ada = Person(page, portal=portal, script=script)
    page.goto("/orgs/new/")
    page.get_by_label("Organization name").fill("Acme Robotics")
    page.locator("label", has_text="Enterprise Growth").click()
    ada.press("Create organization")
    expect(ada.heading).to_have_text("Choose a plan")

    ada.press("Choose Enterprise Growth")
    page.get_by_label("Card number").fill(VISA)
    page.get_by_label("Expiry").fill("12 / 40")
    page.get_by_label("CVC").fill("123")
    page.get_by_label("Name on card").fill("Ada Lindqvist")
    ada.press("Subscribe")
    expect(ada.heading).to_have_text("Starting the subscription")
    portal.let_workers_work()
    expect(ada.told).to_have_text("The subscription has started.")
    expect(page.locator("main")).to_contain_text("Enterprise Growth, invoiced yearly")

    ada.follow("Cancel subscription")
    ada.expect_dialog()
    page.get_by_label("Too expensive").check()
    page.get_by_role("button", name="Cancel at the end of the period").click()
    expect(ada.told).to_contain_text("The subscription ends on")

    ada.follow("Keep subscription")
    ada.expect_dialog()
    ada.press("Keep subscription")
    expect(ada.told).to_contain_text("The subscription goes on.")
    (subscription,) = portal.stripe.api.subscriptions.list().data
    assert (subscription.status, subscription.cancel_at) == ("active", None)
