"""No page offers its reader what they may not do: each link and button leads where their role may go."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.urls import Resolver404, resolve

from orgs.access import OrganizationAccess
from orgs.models import Membership
from orgs.policy import Role, may
from tests.browser.pages import pages_for
from tests.sampling import sampled
from tests.world import World

TAG = re.compile(r"<(?:a|form|button|div|section)\b[^>]*>")
GETS = re.compile(r'\b(?:href|hx-get)="([^"]*)"')
POSTS = re.compile(r'\b(?:formaction|hx-post)="([^"]*)"')
ACTION = re.compile(r'\baction="([^"]*)"')


def led_to(html: str) -> Iterator[tuple[str, str]]:
    """The methods and addresses of all that can be pressed."""
    for tag in TAG.findall(html):
        yield from (("GET", address) for address in GETS.findall(tag))
        yield from (("POST", address) for address in POSTS.findall(tag))
        method = "POST" if 'method="post"' in tag else "GET"
        yield from ((method, address) for address in ACTION.findall(tag))


def is_refused(membership: Membership, method: str, address: str) -> bool:
    """Whether an address inside the person's organization refuses them."""
    try:
        match = resolve(urlsplit(address).path)
    except Resolver404:
        return False
    access = getattr(match.func, "access", None)
    if not isinstance(access, OrganizationAccess) or match.kwargs["slug"] != membership.organization.slug:
        return False
    return not access.allows(method) or not may(membership, access.permission(method))


@pytest.mark.parametrize("role", sampled([Role.MEMBER, Role.BILLING_MANAGER, Role.ADMIN], every=3))
def test_no_page_offers_what_its_reader_may_not_do(world: World, role: Role) -> None:
    membership = world.memberships[role]
    pressed = {
        (shown.route.name, method, address)
        for shown in pages_for(world, role.value)
        for method, address in led_to(shown.html)
    }
    assert len(pressed) > 20
    assert [one for one in pressed if is_refused(membership, one[1], one[2])] == []


def test_what_is_refused_is_found(world: World) -> None:
    manager, slug = world.memberships[Role.BILLING_MANAGER], world.organization.slug
    settings = f"/orgs/{slug}/settings"
    page = f'<form method="post" action="{settings}/billing/pay/"><a href="{settings}/audit/">'
    assert [is_refused(manager, *one) for one in led_to(page)] == [False, True]
