"""Billing details in a browser: what is typed shows at once in the next invoice's head, yet is not saved."""

import pytest
from playwright.sync_api import expect

from billing.models import BillingAccount
from orgs.policy import Role
from tests.browser.conftest import NewPage
from tests.world import World, build_world


@pytest.fixture
def world(transactional_db: None) -> World:
    return build_world()


def test_what_is_typed_shows_in_the_next_invoices_head(world: World, new_page: NewPage) -> None:
    page = new_page(user=world.memberships[Role.BILLING_MANAGER].user)
    page.goto(f"/orgs/{world.organization.slug}/settings/billing/details/")
    head = page.locator("#head")
    expect(head).to_contain_text("Own account")
    page.get_by_label("City").fill("Berlin")
    page.get_by_label("Country").select_option("Germany")
    expect(head).to_contain_text("Berlin")
    expect(head).to_contain_text("Germany")
    assert not any(BillingAccount.objects.get(organization=world.organization).address.values())
