"""From the search box to an invitation sent again: at most 4 presses and 20 seconds."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from audit.models import AuditEvent
from orgs.models import Organization
from orgs.policy import Role, StaffRole
from tests.browser.conftest import NewPage
from tests.browser.portal import Portal
from tests.factories import MembershipFactory, OrganizationFactory
from tests.invitations.factories import InvitationFactory
from tests.world import staff_with

PRESSES, SECONDS = 4, 20


@pytest.fixture
def initech(portal: Portal) -> Organization:
    organization: Organization = OrganizationFactory(name="Initech", slug="initech")
    long_ago = timezone.now() - timedelta(days=2)
    irene = MembershipFactory(organization=organization, role=Role.ADMIN)
    InvitationFactory.create_batch(9, organization=organization, inviter=irene, sent_at=long_ago)
    yesterday = long_ago + timedelta(days=1)
    InvitationFactory(organization=organization, inviter=irene, email="drew@initech.test", sent_at=yesterday)
    return organization


@pytest.mark.parametrize("text", ["drew@initech.test", "initech"])
def test_an_invitation_is_sent_again_within_four_presses(
    text: str, initech: Organization, new_page: NewPage
) -> None:
    page = new_page(client=staff_with(StaffRole.SUPPORT))
    page.goto("/admin/")
    began, presses = time.monotonic(), 0
    page.locator("main").get_by_role("searchbox").fill(text)
    for press in (
        lambda: page.keyboard.press("Enter"),
        lambda: page.get_by_role("button", name="Actions for drew@initech.test").click(),
        lambda: page.get_by_role("link", name="Send invitation again").click(),
        lambda: page.get_by_role("dialog").get_by_role("button", name="Send invitation again").click(),
    ):
        press()
        presses += 1
    expect(page.get_by_text("Invitation sent to drew@initech.test again.")).to_be_visible()
    assert presses <= PRESSES
    assert time.monotonic() - began < SECONDS
    event = AuditEvent.objects.for_org(initech.pk).get(action="invitation.resent")
    assert (event.actor_kind, event.ticket) == ("staff", "48213")
