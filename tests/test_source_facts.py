"""What the source documents of the role promise, a test for each sentence: F01 to F30.

Each goes through the URLs, as the person of whom the sentence tells.
"""

import re
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from audit.models import ActorKind
from billing.tasks import settle_credits
from billing.templatetags.invoices import days
from invitations.claims import Channel, Claim, link
from invitations.models import Invitation, Kind, State
from orgs.checks import all_routes
from orgs.dates import day
from orgs.editions import EDITIONS
from orgs.models import Membership, Organization
from orgs.policy import Role
from outbox.models import OutgoingEmail
from outbox.registry import renderer_of
from support.jobs import count_recent_jobs
from support.models import Job, JobCount
from tests.billing.conftest import stripe, stripe_server  # noqa: F401 - fixtures
from tests.billing.factories import BillingAccountFactory, InvoiceFactory, SubscriptionFactory
from tests.billing.pages import billing_url, text_of
from tests.billing.world import MASTERCARD, StripeWorld, sweep_everything
from tests.conftest import SignIn
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import accept, page_of
from tests.teams.factories import TeamMembershipFactory
from tests.world import World, signed_in
from usage.models import Stack
from usage.readings import HourlyReading
from usage.services import record_counts

pytestmark = pytest.mark.django_db

FACTS = set(range(1, 31))

PASSPHRASE = "a long enough pass phrase"
EVERY_EDITION = sorted({edition.code for edition in EDITIONS})
TEAM = ["team-growth", "team-pro"]
ANY_NUMBER = ["business-critical", "enterprise", "enterprise-growth"]
LEGACY = ["enterprise", "team-pro"]
PREPAID = ["business-critical", "enterprise", "enterprise-growth"]


def fact(number: int) -> pytest.MarkDecorator:
    """The sentence that a test holds."""
    return pytest.mark.fact(number)


def test_every_sentence_has_a_test() -> None:
    tests = vars(sys.modules[__name__]).values()
    marks = [mark for test in tests for mark in getattr(test, "pytestmark", []) if mark.name == "fact"]
    tested = {mark.args[0] for mark in marks}
    assert tested == FACTS


def belonging(edition: str, role: Role = Role.BILLING_MANAGER) -> Membership:
    """A person in an organization of that edition, which has a customer and an admin."""
    organization = OrganizationFactory(edition_code=edition, seats=5 if edition in LEGACY else None)
    MembershipFactory(organization=organization, role=Role.ADMIN)
    BillingAccountFactory(organization=organization)
    return MembershipFactory(organization=organization, role=role)


def billing_page(person: Membership) -> str:
    response = signed_in(person.user).get(billing_url(person.organization))
    assert response.status_code == 200
    return text_of(response)


def dashboard(person: Membership) -> str:
    response = signed_in(person.user).get(f"/orgs/{person.organization.slug}/")
    assert response.status_code == 200
    return text_of(response)


def invited(person: Membership, email: str, *, role: Role | None = None) -> Invitation:
    """Invite by the form: of members, or of billing managers where no role is given."""
    page = reverse("members_invite" if role else "managers_invite", args=[person.organization.slug])
    response = signed_in(person.user).post(page, {"email": email, **({"role": role.value} if role else {})})
    assert response.status_code in {200, 302, 303}
    return Invitation.objects.get(organization=person.organization, email=email)


def opened(invitation: Invitation, channel: Channel, client: Client) -> Client:
    """The client after the link was followed."""
    address = link(Claim(invitation.pk, invitation.generation, channel))
    assert client.get("/" + address.split("/", 3)[3]).status_code == 302
    return client


def signed_up(invitation: Invitation, name: str = "Lee Doe") -> tuple[Client, User]:
    """A new person, who came by the mailed link, filled in the one form and pressed *Accept*."""
    client = opened(invitation, Channel.MAIL, Client())
    form = {"email": invitation.email, "name": name, "password1": PASSPHRASE}
    assert client.post("/accounts/signup/", form).headers["Location"] == page_of(invitation)
    assert accept(client, invitation).status_code == 302
    return client, User.objects.get(email=invitation.email)


def role_of(user: User, organization: Organization) -> str | None:
    found = Membership.objects.filter(user=user, organization=organization).first()
    return found and found.role


# The role


@fact(1)
def test_a_billing_manager_views_and_edits_billing_and_no_stacks(world: World) -> None:
    client = world.clients[Role.BILLING_MANAGER]
    slug = world.organization.slug
    stack = Stack.objects.get(organization=world.organization).name
    assert client.get(billing_url(world.organization)).status_code == 200
    assert client.get(billing_url(world.organization, "details/")).status_code == 200
    assert stack in text_of(world.clients[Role.MEMBER].get(f"/orgs/{slug}/"))
    assert stack not in text_of(client.get(f"/orgs/{slug}/"))


@fact(2)
@pytest.mark.parametrize("name", ["audit_log", "tokens"])
def test_a_billing_manager_has_no_audit_log_and_no_tokens(world: World, name: str) -> None:
    response = world.clients[Role.BILLING_MANAGER].get(reverse(name, args=[world.organization.slug]))
    assert response.status_code == 403


@fact(3)
def test_the_only_pages_of_a_billing_manager_are_dashboard_and_billing(world: World) -> None:
    client = world.clients[Role.BILLING_MANAGER]
    start = f"/orgs/{world.organization.slug}/"
    inside = [route for route in all_routes() if "<slug:slug>" in route.path and not route.of_api]
    seen = {
        address
        for route in inside
        if client.get(address := world.url(route) + world.query(route, Role.BILLING_MANAGER)).status_code
        == 200
    }
    others = {address for address in seen if not address.startswith(start + "settings/billing/")}
    # A file with the dashboard's own figures.
    file = start + "usage/days.csv"
    assert others == {start, file, start + "leave/"}
    page = client.get(start).content.decode()
    links = set(re.findall(rf'href="({start}[^"?]*)', page))
    assert links == {start, file, start + "settings/billing/"}


@fact(4)
def test_a_billing_manager_sees_how_many_resources_and_members_and_no_names(
    member: Membership, billing_manager: Membership
) -> None:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    counts = [HourlyReading(stack="web", hour=hour, resources=1_234)]
    record_counts(organization_id=member.organization_id, counts=counts)
    page = dashboard(billing_manager)
    assert "1,234" in page
    assert "Members 1" in page
    for shown in (page, billing_page(billing_manager)):
        assert member.user.name not in shown
        assert member.user.email not in shown


@fact(5)
@pytest.mark.parametrize(
    ("resource", "told"),
    [("members", {"id", "role", "joined_at"}), ("teams", {"id", "people", "created_at"})],
)
def test_a_billing_manager_lists_members_and_teams_by_the_api_alone_and_without_names(
    member: Membership, billing_manager: Membership, resource: str, told: set[str]
) -> None:
    team = TeamMembershipFactory(team__organization=member.organization, membership=member).team
    client, slug = signed_in(billing_manager.user), member.organization.slug
    assert client.get(reverse(resource, args=[slug])).status_code == 403
    [listed] = client.get(f"/api/v1/orgs/{slug}/{resource}").json()["data"]
    assert {name for name, value in listed.items() if value is not None} == told
    assert listed["id"] == str({"members": member, "teams": team}[resource].pk)


@fact(6)
def test_an_admin_two_members_and_a_billing_manager_are_three_members(
    admin: Membership, member: Membership, billing_manager: Membership
) -> None:
    MembershipFactory(organization=admin.organization, role=Role.MEMBER)
    for person in (admin, member, billing_manager):
        assert "Members 3" in dashboard(person)


@fact(7)
def test_a_billing_manager_handles_card_subscription_and_payments_and_sees_names_of_their_like(
    world: World,
) -> None:
    client = world.clients[Role.BILLING_MANAGER]
    shown = ["methods/", "plan/", "invoices/", "payment-links/"]
    assert {client.get(billing_url(world.organization, path)).status_code for path in shown} == {200}
    page = text_of(client.get(billing_url(world.organization)))
    assert "Own other-manager" in page
    assert "own.other-manager@example.test" not in page


# By edition


@fact(8)
@pytest.mark.parametrize("edition", TEAM)
def test_on_team_editions_a_billing_manager_adds_a_card(
    edition: str,
    stripe: StripeWorld,  # noqa: F811 - the fixture
) -> None:
    organization = OrganizationFactory(edition_code=edition)
    MembershipFactory(organization=organization, role=Role.ADMIN)
    person = MembershipFactory(organization=organization, role=Role.BILLING_MANAGER)
    account = stripe.account_for(organization)
    client = signed_in(person.user)
    to_stripe = client.post(billing_url(organization, "card/"))
    client.get(stripe.control.enter_card(to_stripe["Location"], number=MASTERCARD))
    sweep_everything()
    assert stripe.default_card(account) is not None
    assert "4444" in billing_page(person)


@fact(9)
@pytest.mark.parametrize("edition", EVERY_EDITION)
def test_a_billing_manager_sees_the_edition_the_invoices_and_how_often_they_come(edition: str) -> None:
    person = belonging(edition)
    invoice = InvoiceFactory(organization=person.organization)
    page = billing_page(person)
    assert person.organization.edition.name in page
    assert str(invoice.number) in page
    assert f"invoiced {person.organization.edition.invoiced.label}" in page


@fact(10)
@pytest.mark.parametrize("edition", EVERY_EDITION)
def test_seats_are_changed_on_the_legacy_editions_only(edition: str) -> None:
    person = belonging(edition)
    [item] = SubscriptionFactory.build(organization=person.organization).items
    sold_by = {"lookup_key": person.organization.edition.price_lookup_key}
    SubscriptionFactory(organization=person.organization, items=[{**item, **sold_by}])
    seats = billing_url(person.organization, "seats/")
    client = signed_in(person.user)
    sold = edition in LEGACY
    assert (f'href="{seats}"' in client.get(billing_url(person.organization)).content.decode()) == sold
    assert (client.get(seats).status_code == 200) == sold
    assert (client.post(seats, {"seats": "11"}).status_code != 404) == sold


@fact(11)
@pytest.mark.parametrize("edition", PREPAID)
def test_a_billing_manager_sees_period_renewal_prepaid_credits_what_of_them_is_used_and_the_edition(
    edition: str,
) -> None:
    person = belonging(edition)
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    begun, renews = now - timedelta(days=100), now + timedelta(days=265)
    [item] = SubscriptionFactory.build(organization=person.organization).items
    sold = {"lookup_key": person.organization.edition.price_lookup_key, "quantity": 2, "credits": 6_000_000}
    SubscriptionFactory(
        organization=person.organization, items=[{**item, **sold}], period_start=begun, period_end=renews
    )
    reading = HourlyReading(stack="web", hour=now - timedelta(hours=2), resources=1_234)
    record_counts(organization_id=person.organization_id, counts=[reading])
    settle_credits()
    page = billing_page(person)
    period, renewal = (text.replace("\N{NO-BREAK SPACE}", " ") for text in (days(begun, renews), day(renews)))
    assert f"Edition {person.organization.edition.name}" in page
    assert f"Period {period} Renews on {renewal}" in page
    assert f"Credits {period} ·" in page
    assert "1,234 of 12,000,000 credits used, 11,998,766 left." in page


@fact(12)
@pytest.mark.parametrize(("edition", "limit"), [*((e, 1) for e in TEAM), *((e, None) for e in ANY_NUMBER)])
def test_team_editions_have_one_billing_manager_and_the_others_any_number(
    edition: str, limit: int | None
) -> None:
    admin = belonging(edition, Role.ADMIN)
    for number in range(4):
        signed_in(admin.user).post(
            reverse("managers_invite", args=[admin.organization.slug]), {"email": f"m{number}@ledger.test"}
        )
    assert Invitation.objects.for_org(admin.organization).pending().count() == (limit or 4)


@fact(13)
@pytest.mark.parametrize("edition", EVERY_EDITION)
def test_every_organization_may_have_the_role(edition: str) -> None:
    admin = belonging(edition, Role.ADMIN)
    _client, lee = signed_up(invited(admin, "lee@ledger.test"))
    assert role_of(lee, admin.organization) == Role.BILLING_MANAGER


# Invitations


@fact(14)
def test_admins_alone_invite_billing_managers(world: World) -> None:
    page = reverse("managers_invite", args=[world.organization.slug])
    for role, client in world.clients.items():
        response = client.post(page, {"email": f"{role.value}@ledger.test"})
        made = Invitation.objects.filter(email=f"{role.value}@ledger.test").exists()
        assert made == (role is Role.ADMIN)
        assert (response.status_code == 403) == (role is not Role.ADMIN)


@fact(15)
def test_the_way_leads_over_settings_and_billing_to_both_buttons(admin: Membership) -> None:
    client = signed_in(admin.user)
    slug = admin.organization.slug
    billing = billing_url(admin.organization)
    assert f'href="{billing}"' in client.get(f"/orgs/{slug}/settings/general/").content.decode()
    page = text_of(client.get(billing))
    assert "Invite billing manager" in page
    assert "Copy billing manager invite link" in page


@fact(16)
def test_an_invited_person_gets_a_mail_from_which_to_accept(admin: Membership) -> None:
    invitation = invited(admin, "lee@ledger.test")
    mail = OutgoingEmail.objects.get(to=invitation.email, kind="invitation_sent")
    address = re.search(r"https?://[^/]+(/invitations/\S+/)", renderer_of(mail.kind)(mail).text)
    assert address
    client = signed_in(UserFactory(email=invitation.email))
    page = text_of(client.get(address[1], follow=True))
    assert "Accept invitation" in page


@fact(17)
def test_an_invite_link_stands_in_a_field_with_a_button_that_copies_it(admin: Membership) -> None:
    page = (
        signed_in(admin.user).post(reverse("managers_link", args=[admin.organization.slug])).content.decode()
    )
    shown = re.search(r'value="([^"]*/invitations/[^"]+)"', page)
    assert shown
    assert "data-copy" in page


@fact(18)
def test_an_invite_link_never_expires_and_works_once(admin: Membership) -> None:
    long_ago = timezone.now() - timedelta(days=5 * 365)
    invitation = InvitationFactory(
        organization=admin.organization, inviter=admin, kind=Kind.LINK, email="", sent_at=long_ago
    )
    first, second = UserFactory(), UserFactory()
    for person in (first, second):
        accept(opened(invitation, Channel.LINK, signed_in(person)), invitation)
    assert role_of(first, admin.organization) == Role.BILLING_MANAGER
    assert role_of(second, admin.organization) is None


@fact(19)
def test_inviting_a_billing_manager_goes_as_inviting_a_member_on_a_page_of_its_own(admin: Membership) -> None:
    manager = invited(admin, "manager@ledger.test")
    member = invited(admin, "member@ledger.test", role=Role.MEMBER)
    assert (manager.kind, manager.state) == (member.kind, member.state) == (Kind.MAIL, State.PENDING)
    assert "manager@ledger.test" in billing_page(admin)
    members = text_of(signed_in(admin.user).get(reverse("members", args=[admin.organization.slug])))
    assert "member@ledger.test" in members
    assert "manager@ledger.test" not in members


@fact(20)
def test_after_signing_up_a_billing_manager_sees_the_figures_and_acts_on_billing(admin: Membership) -> None:
    client, _lee = signed_up(invited(admin, "lee@ledger.test"))
    assert "Resources now" in text_of(client.get(f"/orgs/{admin.organization.slug}/"))
    assert client.get(billing_url(admin.organization)).status_code == 200


# Viewing


@fact(21)
def test_the_table_lists_name_mail_and_day_of_acceptance_and_what_is_pending(
    admin: Membership, billing_manager: Membership
) -> None:
    invitation = InvitationFactory(organization=admin.organization, inviter=admin)
    page = billing_page(admin)
    for shown in (
        billing_manager.user.name,
        billing_manager.user.email,
        "Accepted",
        invitation.email,
        "Pending",
    ):
        assert shown in page


@fact(22)
def test_a_pending_invitation_tells_when_it_was_sent_and_what_hindered_its_person(admin: Membership) -> None:
    invitation = InvitationFactory(organization=admin.organization, inviter=admin)
    stranger = UserFactory(email="other@ledger.test")
    accept(opened(invitation, Channel.MAIL, signed_in(stranger)), invitation)
    page = signed_in(admin.user).get(billing_url(admin.organization))
    assert f"{invitation.sent_at:%Y-%m-%dT%H:%M:%S}Z" in page.content.decode()
    assert "other@ledger.test could not accept." in text_of(page)


@fact(23)
def test_admins_alone_see_pending_invitations_mails_and_their_state(
    admin: Membership, member: Membership, billing_manager: Membership
) -> None:
    other = MembershipFactory(organization=admin.organization, role=Role.BILLING_MANAGER)
    invitation = InvitationFactory(organization=admin.organization, inviter=admin)
    assert invitation.email in billing_page(admin)
    page = billing_page(billing_manager)
    for hidden in (invitation.email, other.user.email, "Pending", "Accepted"):
        assert hidden not in page
    assert signed_in(member.user).get(billing_url(admin.organization)).status_code == 403


@fact(24)
def test_a_billing_manager_sees_of_others_the_name_only(billing_manager: Membership) -> None:
    other = MembershipFactory(organization=billing_manager.organization, role=Role.BILLING_MANAGER)
    page = billing_page(billing_manager)
    assert other.user.name in page
    assert other.user.email not in page


# Removing


@fact(25)
def test_any_admin_removes_a_billing_manager_by_the_menu_and_a_question(
    admin: Membership, billing_manager: Membership
) -> None:
    second = MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    client = signed_in(second.user)
    remove = reverse("manager_remove", args=[admin.organization.slug, billing_manager.pk])
    page = client.get(billing_url(admin.organization))
    assert "Remove billing manager" in text_of(page)
    question = text_of(client.get(remove))
    assert f"Remove {billing_manager.user.name}" in question
    assert role_of(billing_manager.user, admin.organization) == Role.BILLING_MANAGER
    client.post(remove, {"shown_role": Role.BILLING_MANAGER.value})
    assert role_of(billing_manager.user, admin.organization) is None


# GitLab's portal


@fact(26)
def test_a_billing_manager_manages_subscription_methods_details_and_invoices(world: World) -> None:
    client = world.clients[Role.BILLING_MANAGER]
    for path in ("plan/", "methods/", "details/", "invoices/"):
        assert client.get(billing_url(world.organization, path)).status_code == 200


@pytest.fixture
def delegate(billing_manager: Membership, admin: Membership, sign_in: SignIn) -> Membership:
    """A billing manager of an organization whose admin lets billing managers manage their like."""
    page = reverse("organization_settings", args=[admin.organization.slug])
    client = sign_in(admin)
    form: dict[str, Any] = client.get(page).context["form"].initial
    seen = dict(re.findall(r'name="(seen[^"]*)"[^>]*value="([^"]*)"', client.get(page).content.decode()))
    values = {name: value for name, value in form.items() if value is not None}
    client.post(page, {**values, **seen, "managers_manage_managers": "on"})
    billing_manager.organization.refresh_from_db()
    assert billing_manager.organization.managers_manage_managers
    return billing_manager


@fact(27)
def test_where_allowed_a_billing_manager_adds_a_person_who_has_an_account(delegate: Membership) -> None:
    lee = UserFactory(email="lee@ledger.test")
    invitation = invited(delegate, lee.email)
    accept(opened(invitation, Channel.MAIL, signed_in(lee)), invitation)
    assert role_of(lee, delegate.organization) == Role.BILLING_MANAGER


@fact(28)
def test_where_allowed_a_billing_manager_removes_billing_managers_and_pending_invitations(
    delegate: Membership,
) -> None:
    client = signed_in(delegate.user)
    slug = delegate.organization.slug
    other = MembershipFactory(organization=delegate.organization, role=Role.BILLING_MANAGER)
    client.post(reverse("manager_remove", args=[slug, other.pk]), {"shown_role": other.role})
    assert role_of(other.user, delegate.organization) is None
    invitation = invited(delegate, "lee@ledger.test")
    client.post(
        reverse("invitation_revoke", args=[slug, invitation.pk]), {"generation": invitation.generation}
    )
    invitation.refresh_from_db()
    assert invitation.state == State.REVOKED


@fact(29)
def test_a_person_without_an_account_comes_in_by_one_form(delegate: Membership) -> None:
    _client, lee = signed_up(invited(delegate, "lee@ledger.test"))
    assert role_of(lee, delegate.organization) == Role.BILLING_MANAGER
    assert not OutgoingEmail.objects.filter(to=lee.email, kind__contains="confirm").exists()


@fact(30)
def test_what_people_did_alone_is_counted_against_the_tickets_that_it_saved(delegate: Membership) -> None:
    invited(delegate, "lee@ledger.test")
    count_recent_jobs()
    counted = JobCount.objects.get(job=Job.MANAGER_INVITED, done_by=ActorKind.PERSON)
    assert counted.count == 1
