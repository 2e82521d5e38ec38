"""Every page, for every visitor, in light and dark, on a phone and on a desktop."""

import pytest

from tests.browser.conftest import NewPage
from tests.browser.inspection import faults_of
from tests.browser.pages import NO_PAGE, ROUTES, VISITORS, client_of, pages_for
from tests.browser.portal import Portal
from tests.world import build_world


@pytest.mark.slow
@pytest.mark.parametrize("visitor", VISITORS)
def test_axe_finds_nothing_on_any_page(visitor: str, portal: Portal, new_page: NewPage) -> None:
    world = build_world()
    page = new_page(client=client_of(world, visitor))
    faults = []
    for shown in pages_for(world, visitor):
        page.goto(shown.url)
        faults += [f"{shown.route.name} {fault}" for fault in faults_of(page)]
    assert not faults, "\n".join(faults)


@pytest.mark.slow
def test_every_url_is_looked_at_or_says_why_not(db: None) -> None:
    world = build_world()
    looked_at = {
        shown.route.name for visitor in VISITORS for shown in pages_for(world, visitor) if shown.status < 400
    }
    assert looked_at | set(NO_PAGE) == {route.name for route in ROUTES}
    assert looked_at & set(NO_PAGE) == set()
