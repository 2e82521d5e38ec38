"""The main pages as axe sees them, one after the other in light and dark.

The slow tests look at all pages in both and in all sizes.
"""

from playwright.sync_api import Page, expect

from orgs.policy import Role
from tests.browser.conftest import NewPage
from tests.browser.inspection import DESKTOP, PHONE, Scheme, faults_of
from tests.world import World, build_world

MAIN_PAGES: dict[str, Scheme] = {"": "light", "settings/billing/": "dark", "settings/members/": "light"}


def test_axe_finds_nothing_on_the_main_pages(new_page: NewPage) -> None:
    world = build_world()
    page = new_page(user=world.memberships[Role.ADMIN].user)
    faults = []
    for path, scheme in MAIN_PAGES.items():
        page.goto(f"/orgs/{world.organization.slug}/{path}")
        faults += faults_of(page, widths=(DESKTOP,), schemes=(scheme,))
    visitor = new_page()
    visitor.goto("/accounts/login/")
    faults += faults_of(visitor, widths=(PHONE,), schemes=("dark",))
    assert not faults, "\n".join(faults)


def test_axe_finds_nothing_in_a_menu_and_a_dialog(new_page: NewPage) -> None:
    world = build_world()
    page = new_page(user=world.memberships[Role.ADMIN].user)
    open_menu(page, world)
    faults = faults_of(page, widths=(DESKTOP,), schemes=("light",))
    page.get_by_role("link", name="Remove billing manager").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    faults += faults_of(page, widths=(PHONE,), schemes=("dark",))
    assert not faults, "\n".join(faults)


def open_menu(page: Page, world: World) -> None:
    page.goto(f"/orgs/{world.organization.slug}/settings/billing/")
    page.get_by_role("button", name="Actions for Own billing_manager", exact=True).click()
