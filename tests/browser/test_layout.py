"""Pages keep their shape whatever is written on them, in the narrowest window and in a wide one."""

import re

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import FloatRect, Locator, expect

from accounts.models import User
from audit.services import Actor, record
from billing.models import Invoice
from invitations.claims import Channel, Claim, link
from invitations.models import Invitation, Kind
from orgs.actions import ORGANIZATION_RENAMED
from orgs.models import Membership
from orgs.policy import Role
from teams.models import Team
from tests.browser.conftest import NewPage
from tests.browser.inspection import PHONE, layout_faults_of
from tests.browser.pages import VISITORS, client_of, pages_for
from tests.browser.portal import Portal
from tests.browser.stage import Stage
from tests.factories import UserFactory
from tests.invitations.factories import InvitationFactory
from tests.world import World, build_world
from usage.models import Stack
from usage.readings import HourlyReading
from usage.services import record_counts

WORD = "Donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunterbeamtengesellschaf"
ADDRESS = f"{WORD[:60]}@{WORD[:50]}.example.test".lower()
RESOURCES = 7_654_321


def lengthen(world: World) -> None:
    """Give everything that has a name one of eighty letters without a gap."""
    assert len(WORD) == 80
    organization = world.organization
    organization.name = WORD
    organization.save()
    people = [membership.user for membership in Membership.objects.for_org(organization)]
    for number, person in enumerate(people):
        person.name, person.email = WORD, f"{number}{ADDRESS}"
    User.objects.bulk_update(people, ["name", "email"])
    for invoice in Invoice.objects.filter(organization=organization):
        invoice.description = WORD
        for line in invoice.document["lines"]:
            line["description"] = WORD
        invoice.save()
    invitations = list(Invitation.objects.filter(organization=organization))
    for number, invitation in enumerate(invitations):
        invitation.email, invitation.invited_by_name = f"{number}{ADDRESS}", WORD
    Invitation.objects.bulk_update(invitations, ["email", "invited_by_name"])
    InvitationFactory(
        organization=organization,
        inviter=world.memberships[Role.ADMIN],
        kind=Kind.LINK,
        last_error="no_room",
        last_error_by=WORD,
        last_error_at=timezone.now(),
    )
    for membership in world.memberships.values():
        InvitationFactory(inviter=world.foreign_admin, email=membership.user.email, invited_by_name=WORD)
    with transaction.atomic():
        record(
            ORGANIZATION_RENAMED,
            actor=Actor.person(people[0]),
            organization=organization,
            old=WORD,
            new=WORD,
        )
    Stack.objects.filter(organization=organization).update(name=WORD)
    Team.objects.filter(organization=organization).update(name=WORD, description=WORD + WORD)
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    reading = HourlyReading(stack=WORD, hour=hour, resources=RESOURCES)
    record_counts(organization_id=organization.pk, counts=[reading])


def test_names_of_eighty_letters_fit_where_most_names_are(stage: Stage) -> None:
    lengthen(stage.world)
    page = stage.admin()
    faults = layout_faults_of(page)
    for path in ("settings/billing/", "settings/members/", "settings/audit/"):
        page.goto(f"/orgs/own/{path}")
        faults += layout_faults_of(page)
    assert not faults, "\n".join(faults)


@pytest.mark.slow
@pytest.mark.parametrize("visitor", VISITORS)
def test_names_of_eighty_letters_fit_on_every_page(visitor: str, portal: Portal, new_page: NewPage) -> None:
    world = build_world()
    lengthen(world)
    page = new_page(client=client_of(world, visitor))
    faults = []
    for shown in pages_for(world, visitor):
        page.goto(shown.url)
        faults += layout_faults_of(page)
    assert not faults, "\n".join(faults)


def test_they_fit_on_the_pages_of_an_invitation(stage: Stage) -> None:
    lengthen(stage.world)
    page = stage.invited()
    faults = layout_faults_of(page)
    page.goto(page.get_by_role("link", name="Decline invitation").evaluate("(link) => link.href"))
    faults += layout_faults_of(page)
    page.get_by_role("button", name="Decline invitation").click()
    page.wait_for_url("**/decline/")
    faults += layout_faults_of(page)
    assert not faults, "\n".join(faults)


def test_they_fit_for_who_is_signed_in_with_another_address(stage: Stage) -> None:
    lengthen(stage.world)
    invited = InvitationFactory(organization=stage.world.organization, email=ADDRESS)
    page = stage.new_page(user=UserFactory(name=WORD, email=f"other.{ADDRESS}"))
    page.goto(link(Claim(invited.pk, invited.generation, Channel.MAIL)))
    faults = layout_faults_of(page)
    assert not faults, "\n".join(faults)


def test_a_choice_shows_that_there_are_others(stage: Stage) -> None:
    page = stage.admin("settings/audit/")
    assert "chevron" in page.get_by_label("Action").evaluate(
        "(select) => getComputedStyle(select).backgroundImage"
    )


def test_the_head_of_a_page_and_of_a_table_stay_in_sight_on_a_phone(stage: Stage) -> None:
    page = stage.admin("settings/roles/")
    page.set_viewport_size({"width": PHONE, "height": 700})
    second_row = page.locator("tbody tr").nth(1)
    second_row.evaluate("(row) => scrollTo(0, scrollY + row.getBoundingClientRect().top - 60)")
    bar, head = place_of(page.locator(".side")), place_of(page.locator("thead th").first)
    assert bar["y"] == 0
    assert abs(head["y"] - bar["height"]) <= 1


def place_of(shown: Locator) -> FloatRect:
    box = shown.bounding_box()
    assert box is not None
    return box


def test_fingers_find_what_they_press(stage: Stage) -> None:
    page = stage.admin("settings/billing/")
    page.set_viewport_size({"width": PHONE, "height": 800})
    page.get_by_role("button", name="Actions for the invitation of own.invited@example.test").click()
    for target in (
        page.get_by_role("button", name="Send again"),
        page.get_by_role("link", name="Revoke invitation"),
        page.get_by_role("link", name="PDF of invoice own-0001"),
        page.get_by_role("button", name="Menu"),
    ):
        assert place_of(target)["height"] >= 44, target


def test_times_name_their_zone(stage: Stage) -> None:
    """The one that the person chose, in whatever place their browser is."""
    page = stage.new_page(user=stage.world.memberships[Role.ADMIN].user, timezone_id="America/St_Johns")
    page.goto("/orgs/own/settings/audit/")
    expect(page.locator("time").first).to_have_text(re.compile(r"\d\d:\d\d UTC$"))
    page.goto("/accounts/profile/")
    page.get_by_role("button", name="Choose this browser's zone").click()
    page.get_by_role("button", name="Save preferences").click()
    expect(page.get_by_text("Your preferences are saved.")).to_be_visible()
    expect(page.get_by_role("button", name="Choose this browser's zone")).to_be_hidden()
    page.goto("/orgs/own/settings/audit/")
    expect(page.locator("time").first).to_have_text(re.compile(r"\d\d:\d\d UTC−[23]:30$"))
