"""The portal without a mouse."""

import pytest
from playwright.sync_api import Page, expect

from orgs.policy import Role
from tests.browser.conftest import NewPage
from tests.invitations.factories import InvitationFactory
from tests.world import World, build_world

# More than any page has, so that a walk ends.
MOST_STOPS = 100
STOP = """() => {
  const here = document.activeElement;
  if (here === document.body) return null;
  const { outlineStyle, outlineWidth } = getComputedStyle(here);
  const { left, top, width, height } = here.getBoundingClientRect();
  const shown = document.elementFromPoint(left + Math.min(width, 40) / 2, top + height / 2);
  return {
    name: (here.getAttribute("aria-label") ?? here.innerText ?? "").trim().replace(/\\s+/g, " "),
    marked: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2,
    covered: !(shown && (here.contains(shown) || shown.contains(here))),
  };
}"""
MENU = "Actions for Own billing_manager"


@pytest.fixture
def world(transactional_db: None) -> World:
    return build_world()


@pytest.fixture
def billing(world: World, new_page: NewPage) -> Page:
    page = new_page(user=world.memberships[Role.ADMIN].user)
    page.goto(f"/orgs/{world.organization.slug}/settings/billing/")
    return page


def walk(page: Page) -> list[dict[str, object]]:
    """Where Tab leads, from the start of the page to its end."""
    stops = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(STOP)
        if stop is None:
            return stops
        stops.append(stop)
    raise AssertionError("Tab never leaves the page.")


def test_tab_reaches_everything_and_shows_where_it_is(billing: Page) -> None:
    stops = walk(billing)
    names = [stop["name"] for stop in stops]
    assert names[0] == "Skip to content"
    for control in (
        "Members",
        "Update card",
        "Copy billing manager invite link",
        "Invite billing manager",
        MENU,
    ):
        assert control in names
    assert names.index("Update card") < names.index(MENU), "the order on the screen"
    assert [stop["name"] for stop in stops if not stop["marked"]] == []
    assert [stop["name"] for stop in stops if stop["covered"]] == []


def test_the_skip_link_leads_past_the_navigation(billing: Page) -> None:
    billing.keyboard.press("Tab")
    expect(billing.get_by_role("link", name="Skip to content")).to_be_focused()
    billing.keyboard.press("Enter")
    expect(billing.get_by_role("main")).to_be_focused()
    billing.keyboard.press("Tab")
    assert billing.evaluate("document.activeElement.closest('main') !== null")


def test_escape_closes_a_menu_and_goes_back_to_its_button(billing: Page) -> None:
    button = billing.get_by_role("button", name=MENU, exact=True)
    item = billing.locator(".menu:popover-open").get_by_role("link").first
    button.focus()
    billing.keyboard.press("Enter")
    billing.keyboard.press("Tab")
    expect(item).to_be_focused()
    billing.keyboard.press("Escape")
    expect(item).to_have_count(0)
    expect(button).to_be_focused()


def test_escape_closes_a_dialog_and_goes_back_to_where_it_was_opened(billing: Page) -> None:
    dialog = billing.get_by_role("dialog")
    link = billing.get_by_role("link", name="Invite billing manager")
    link.focus()
    billing.keyboard.press("Enter")
    expect(dialog).to_have_accessible_name("Invite billing manager")
    billing.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(link).to_be_focused()


def test_a_dialog_asks_before_it_removes_and_holds_the_focus(billing: Page) -> None:
    dialog = billing.get_by_role("dialog")
    button = billing.get_by_role("button", name=MENU, exact=True)
    button.focus()
    billing.keyboard.press("Enter")
    billing.get_by_role("link", name="Remove billing manager").focus()
    billing.keyboard.press("Enter")
    expect(dialog).to_have_accessible_name("Remove Own billing_manager as billing manager?")
    expect(dialog.get_by_role("link", name="Keep billing manager")).to_be_focused()
    billing.keyboard.press("Tab")
    expect(dialog.get_by_role("button", name="Remove billing manager")).to_be_focused()
    billing.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()


def test_escape_goes_back_to_the_button_that_made_a_link_though_the_panel_was_renewed(billing: Page) -> None:
    dialog = billing.get_by_role("dialog")
    button = billing.get_by_role("button", name="Copy billing manager invite link")
    button.focus()
    billing.keyboard.press("Enter")
    expect(dialog).to_have_accessible_name("Invite link for one billing manager")
    billing.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()


def test_escape_goes_back_to_the_menu_that_a_link_was_copied_from(world: World, billing: Page) -> None:
    invited = InvitationFactory(organization=world.organization)
    billing.reload()
    dialog = billing.get_by_role("dialog")
    button = billing.get_by_role("button", name=f"Actions for the invitation of {invited.email}")
    button.focus()
    for key in ("Enter", "Tab", "Tab"):
        billing.keyboard.press(key)
    expect(billing.get_by_role("button", name="Copy link")).to_be_focused()
    billing.keyboard.press("Enter")
    expect(dialog).to_have_accessible_name("Invite link for one billing manager")
    billing.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()


def test_a_chart_tells_each_bar_to_the_arrow_keys_and_follows_the_period(
    world: World, new_page: NewPage
) -> None:
    page = new_page(user=world.memberships[Role.BILLING_MANAGER].user)
    page.goto(f"/orgs/{world.organization.slug}/")
    bars = page.locator(".chart .bar")
    bars.last.focus()
    page.keyboard.press("ArrowLeft")
    before = bars.nth(-2)
    expect(before).to_be_focused()
    expect(before.locator("text")).to_be_visible()
    expect(before.locator("text")).to_have_text(before.get_attribute("aria-label") or "")
    expect(bars.last.locator("text")).to_be_hidden()
    bars.first.locator(".slot").hover(force=True)
    expect(bars.first.locator("text")).to_be_visible()
    page.get_by_role("link", name="Month", exact=True).click()
    expect(page.get_by_role("link", name="Month", exact=True)).to_have_attribute("aria-current", "true")
    assert page.url.endswith("?by=monthly")
    assert bars.count() < 14
    expect(page.locator("#at-a-glance")).not_to_contain_text("over 30 days")
