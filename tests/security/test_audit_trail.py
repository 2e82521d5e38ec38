"""Each change that a person makes through the pages leaves one row, with the person's name in it."""

from dataclasses import dataclass, field

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.models import ActorKind, AuditEvent
from invitations.models import Invitation, Kind
from orgs.models import Membership, Organization
from orgs.policy import Role
from tests.conftest import SignIn
from tests.factories import MembershipFactory, UserFactory
from tests.invitations.claims import by_mail
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import accept, decline
from tests.invitations.test_invitee import opened
from tests.test_access import INSIDE
from tests.world import World, signed_in

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Change:
    """A form that an admin sends: ``on``: which id of the world it is about."""

    action: str
    on: str = ""
    data: dict[str, str] = field(default_factory=dict)


CHANGES = {
    "organization_settings": Change("organization.renamed"),
    "member_role": Change("membership.role_changed", "membership_id"),
    "member_remove": Change("membership.removed", "membership_id"),
    "manager_remove": Change("membership.removed", "manager_id"),
    "manager_last_day": Change("membership.last_day_changed", "manager_id"),
    "members_invite": Change("invitation.sent"),
    "managers_invite": Change("invitation.sent"),
    "members_link": Change("invitation.link_created"),
    "managers_link": Change("invitation.link_created"),
    "invitation_resend": Change("invitation.resent", "invitation_id"),
    "invitation_copy_link": Change("invitation.link_copied", "invitation_id"),
    "invitation_revoke": Change("invitation.revoked", "invitation_id"),
    "connection_end": Change("program.revoked", "connection_id"),
    "organization_token_new": Change("access_token.made"),
    "team_new": Change("team.created"),
    "team_change": Change("team.renamed", "team_id"),
    "team_delete": Change("team.deleted", "team_id"),
    "access_request": Change("access.requested"),
    "access_refuse": Change("access.refused", "membership_id"),
    "leave": Change("membership.left"),
    "webhook_secret": Change("webhook.secret_rolled", "endpoint_id"),
    "webhook_switch": Change("webhook.switched_off", "endpoint_id"),
    "webhook_test": Change("webhook.tested", "endpoint_id"),
    "webhook_remove": Change("webhook.removed", "endpoint_id"),
    "webhook_again": Change("webhook.replayed", "delivery_id"),
    "stacks": Change("stack.labeled"),
    "usage_limits": Change("usage.budget_changed"),
    "audit_export": Change("audit.exported"),
    "organization_data": Change("audit.exported"),
}
# Told once Stripe has done it, in tests/billing: test_cards.py, test_purchases.py, test_endings.py,
# test_payments.py, test_plan_changes.py, test_saved_methods.py, test_details.py and test_credit_purchases.py.
TOLD_LATER = {
    "card",
    "owed_pay",
    "invoice_pay",
    "plan",
    "plan_undo",
    "seats",
    "credits_buy",
    "purchase",
    "subscription_cancel",
    "subscription_keep",
    "method_add",
    "method_choose",
    "method_remove",
    "billing_details",
    "tax_id_add",
    "tax_id_remove",
}
# With what its page showed: tests/billing/test_closing.py.
TOLD_BY_ITS_PAGE = {"organization_close", "closing_undo"}
# With an address that is there: tests/hooks/test_pages.py.
TOLD_WITH_A_SERVER = {"webhook_new", "webhook_change"}
# Others than admins send these too, or they name people: tests/billing/test_payment_links.py,
# tests/tokens/test_pages.py, tests/teams/test_pages.py.
# Of many at once: tests/invitations/test_removing.py.
TOLD_ELSEWHERE = {
    "card_link",
    "invoice_link",
    "payment_link_copy",
    "payment_link_revoke",
    "people_remove",
    "team_add",
    "team_remove",
    "token_new",
    "token_revoke",
}
# Of one's own pages alone.
CHANGES_NOTHING = {"start_step", "warning_hide", "members_warning_hide", "billing_details_preview"}


@pytest.fixture
def world(world: World) -> World:
    MembershipFactory(organization=world.organization, role=Role.ADMIN)
    return world


def url_of(name: str, change: Change, world: World) -> str:
    return reverse(name, args=["own", *([world.own_ids[change.on]] if change.on else [])])


def test_every_form_is_accounted_for() -> None:
    assert {name for name, row in INSIDE.items() if row.post} == {
        *CHANGES,
        *TOLD_LATER,
        *TOLD_ELSEWHERE,
        *TOLD_WITH_A_SERVER,
        *TOLD_BY_ITS_PAGE,
        *CHANGES_NOTHING,
    }


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_leaves_one_row_with_its_person(name: str, world: World) -> None:
    before = set(AuditEvent.objects.values_list("pk", flat=True))
    change = CHANGES[name]
    # An admin has nothing to ask for.
    role = Role.BILLING_MANAGER if name == "access_request" else Role.ADMIN
    person = world.memberships[role].user
    world.clients[role].post(url_of(name, change, world), INSIDE[name].data)
    # What else the change ends, such as the invitations of who leaves, is told as the portal's doing.
    event = AuditEvent.objects.exclude(pk__in=before).exclude(actor_kind=ActorKind.SYSTEM).get()
    assert event.action == change.action
    assert (event.actor_kind, event.actor_id, event.actor_name) == (ActorKind.PERSON, person.pk, person.name)
    assert event.organization_id == world.organization.pk
    assert event.sentence


@pytest.mark.slow
def test_a_refused_change_leaves_none(world: World) -> None:
    before = AuditEvent.objects.count()
    for name, change in CHANGES.items():
        outsiders = set(Role) - set(INSIDE[name].roles("POST") or ())
        for client in [world.stranger, *(world.clients[role] for role in sorted(outsiders))]:
            answer = client.post(url_of(name, change, world), INSIDE[name].data)
            assert answer.status_code in {403, 404}, name
        assert AuditEvent.objects.count() == before, name


def test_the_invited_are_named_as_who_answered(admin: Membership, sign_in: SignIn) -> None:
    for press, action in ((accept, "invitation.accepted"), (decline, "invitation.declined")):
        invitation = InvitationFactory(organization=admin.organization)
        user = UserFactory(email=invitation.email)
        press(opened(by_mail(invitation), signed_in(user)), invitation)
        event = AuditEvent.objects.get(action=action)
        assert (event.actor_id, event.actor_name) == (user.pk, user.name)


def test_an_anonymous_decline_names_the_invited_address_and_no_account(admin: Membership) -> None:
    invitation = InvitationFactory(organization=admin.organization)
    decline(opened(by_mail(invitation)), invitation)
    event = AuditEvent.objects.get(action="invitation.declined")
    assert (event.actor_id, event.actor_name) == (None, invitation.email)


def test_what_follows_from_a_change_is_told_as_the_portals_doing(world: World) -> None:
    """A removed admin's invitations end with him: not by the hand of who removed him."""
    other = MembershipFactory(organization=world.organization, role=Role.ADMIN)
    InvitationFactory(organization=world.organization, inviter=other, kind=Kind.LINK)
    before = set(AuditEvent.objects.values_list("pk", flat=True))
    world.clients[Role.ADMIN].post(
        reverse("member_remove", args=["own", other.pk]), {"shown_role": other.role}
    )
    events = AuditEvent.objects.exclude(pk__in=before).order_by("pk")
    assert [(event.action, event.actor_kind) for event in events] == [
        ("membership.removed", ActorKind.PERSON),
        ("invitation.revoked", ActorKind.SYSTEM),
    ]


def test_founding_is_told(member: Membership, sign_in: SignIn) -> None:
    sign_in(member).post("/orgs/new/", {"name": "Ledger"})
    event = AuditEvent.objects.get(action="organization.created")
    assert event.actor_id == member.user_id
    assert event.organization_id == Organization.objects.get(name="Ledger").pk


def test_sending_the_same_again_is_no_change(world: World) -> None:
    client = world.clients[Role.ADMIN]
    settings = {"name": "New name", "invitation_max_age_days": "30", "managers_manage_managers": "on"}
    client.post(url_of("organization_settings", CHANGES["organization_settings"], world), settings)
    count = AuditEvent.objects.count()
    settings = {"name": "New name", "invitation_max_age_days": "30", "managers_manage_managers": "on"}
    client.post(url_of("organization_settings", CHANGES["organization_settings"], world), settings)
    Invitation.objects.filter(pk=world.own_ids["invitation_id"]).update(sent_at=timezone.now())
    client.post(url_of("invitation_resend", CHANGES["invitation_resend"], world), {"generation": 1})
    assert AuditEvent.objects.count() == count
