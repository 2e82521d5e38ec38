"""Help for each role says what the policy says, to everybody."""

import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from billing_portal.role_help import HOW
from orgs.policy import OF_PEOPLE, Permission, Role, permissions_of
from tests.invitations.pages import text

pytestmark = pytest.mark.django_db


def acts_on(page: str) -> tuple[set[str], set[str]]:
    """What the page of a role says that it may do, and that it may not."""
    able, _, closed = page.partition('id="closed"')
    acts = re.findall(r"<li>\s*<p>\s*(.*?)\s*(?:<span|</p>)", able, re.DOTALL)
    return {unescape(act) for act in acts}, {unescape(act) for act in re.findall(r"<li>(.*?)</li>", closed)}


@pytest.mark.parametrize("role", list(Role))
def test_help_tells_all_that_a_role_may_do_and_may_not(role: Role) -> None:
    granted = permissions_of(role, delegated=True)
    answer = Client().get(reverse("role_help", args=[role.value]))
    able, closed = acts_on(answer.content.decode().partition("<footer")[0])

    def words(permissions: set[Permission]) -> set[str]:
        return {str(p.label)[0].upper() + str(p.label)[1:] for p in permissions}

    assert able == words(set(OF_PEOPLE) & granted)
    assert closed == words(set(OF_PEOPLE) - granted)


def test_what_hangs_on_the_organizations_setting_says_so() -> None:
    manager = text(Client().get(reverse("role_help", args=[Role.BILLING_MANAGER.value])))
    assert 'Invite billing managers by mail <span class="tag">If an admin allows it' in manager
    assert "If an admin allows it" not in text(Client().get(reverse("role_help", args=[Role.ADMIN.value])))


def test_every_permission_that_the_product_has_says_how() -> None:
    assert set(HOW) == set(OF_PEOPLE)


def test_help_leads_to_the_page_of_each_role_and_an_unknown_role_is_not_found() -> None:
    page = Client().get(reverse("help")).content.decode()
    for role in Role:
        assert f'href="{reverse("role_help", args=[role.value])}"' in page
    assert Client().get("/help/owner/").status_code == 404
