"""How much a first visit loads. Files are served as in a deployment, without what DEBUG would add.

A page's weight is the sum of all its answers' bodies as gzip makes them, the icon among them.
"""

import gzip
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Response

from orgs.policy import Role
from tests.browser.conftest import NewPage
from tests.world import build_world

MOST_BYTES = 80_000
MOST_REQUESTS = 8


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/orgs/own/settings/billing/"])
def test_a_first_visit_is_light(path: str, new_page: NewPage) -> None:
    world = build_world()
    page = new_page(user=world.memberships[Role.ADMIN].user if path.startswith("/orgs/") else None)
    bodies = first_visit(page, path)
    weight = sum(len(gzip.compress(body)) for body in bodies.values())
    assert path in bodies
    assert any(name.endswith(".css") for name in bodies)
    assert any(name.endswith(".svg") for name in bodies)
    assert len(bodies) <= MOST_REQUESTS, sorted(bodies)
    assert weight <= MOST_BYTES


def first_visit(page: Page, path: str) -> dict[str, bytes]:
    """What a browser loads that has been here never before: the bodies by their path."""
    answers: list[Response] = []

    def note(answer: Response) -> None:
        answers.append(answer)

    page.on("response", note)
    page.goto(path, wait_until="networkidle")
    bodies = {urlsplit(answer.url).path: answer.body() for answer in answers}
    # A browser without windows has no place for it.
    icon = page.locator("link[rel=icon]").get_attribute("href") or ""
    return {icon: page.request.get(icon).body(), **bodies}
