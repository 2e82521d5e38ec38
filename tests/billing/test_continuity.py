"""Quiet warnings of what would leave an organization unable to pay, to those who can mend it."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from invitations.selectors.continuity import people_warnings
from orgs.models import Membership, Organization
from orgs.policy import Role
from outbox.models import OutgoingEmail, State
from tests.billing.factories import BillingAccountFactory
from tests.conftest import SignIn
from tests.factories import MembershipFactory, OrganizationFactory
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import text

pytestmark = pytest.mark.django_db

ALONE = "Only one person here can pay."
BOUNCED = "The last invoice could not be delivered to books@ledger.test."


def billing(reader: Membership, sign_in: SignIn) -> str:
    return text(sign_in(reader).get(reverse("billing", args=[reader.organization.slug])))


def members(reader: Membership, sign_in: SignIn) -> str:
    return text(sign_in(reader).get(reverse("members", args=[reader.organization.slug])))


def issued(organization: Organization, state: State, key: str) -> None:
    OutgoingEmail.objects.create(
        kind="invoice_issued",
        to="books@ledger.test",
        organization_id=organization.pk,
        dedupe_key=key,
        state=state,
        sent_at=timezone.now() if state == State.SENT else None,
        created_at=timezone.now(),
    )


def sign_in_ago(membership: Membership, **ago: int) -> None:
    User.objects.filter(pk=membership.user_id).update(last_login=Now() - timedelta(**ago))


def test_one_person_who_can_pay_is_too_few(admin: Membership, sign_in: SignIn) -> None:
    MembershipFactory(organization=admin.organization, role=Role.BILLING_VIEWER)
    MembershipFactory(organization=admin.organization, role=Role.MEMBER)
    assert ALONE in members(admin, sign_in)
    MembershipFactory(organization=admin.organization, role=Role.BILLING_MANAGER)
    assert ALONE not in members(admin, sign_in)


def test_an_invitation_on_its_way_is_enough(admin: Membership, sign_in: SignIn) -> None:
    InvitationFactory(organization=admin.organization, inviter=admin)
    assert ALONE not in members(admin, sign_in)


def test_what_nobody_could_mend_is_not_said(sign_in: SignIn) -> None:
    organization = OrganizationFactory(edition_code="team-growth")
    admin = MembershipFactory(organization=organization, role=Role.ADMIN)
    MembershipFactory(organization=organization, role=Role.BILLING_VIEWER)
    member = MembershipFactory(organization=organization)
    for reader in (admin, member):
        assert ALONE not in members(reader, sign_in)


def test_an_address_whose_last_invoice_bounced_is_told_until_one_arrives(
    admin: Membership, billing_manager: Membership, sign_in: SignIn
) -> None:
    organization = admin.organization
    account = BillingAccountFactory(organization=organization, copies_to=["books@ledger.test"])
    issued(organization, State.SENT, "1")
    issued(organization, State.FAILED, "2")
    for reader in (admin, billing_manager):
        assert BOUNCED in billing(reader, sign_in)
    account.copies_to = []
    account.save()
    assert BOUNCED not in billing(admin, sign_in)
    account.copies_to = ["books@ledger.test"]
    account.save()
    issued(organization, State.SENT, "3")
    assert BOUNCED not in billing(admin, sign_in)


def test_an_admin_away_for_90_days_is_told_to_the_other_admins(
    admin: Membership, member: Membership, sign_in: SignIn
) -> None:
    other = MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    told = f"{other.user.name} is an admin and has not signed in for more than 90 days."
    sign_in_ago(other, days=89)
    assert told not in members(admin, sign_in)
    sign_in_ago(other, days=91)
    assert told in members(admin, sign_in)
    assert told not in members(member, sign_in)
    hide = reverse("members_warning_hide", args=[admin.organization.slug])
    for code in (f"continuity.away:{other.pk}", "start.hidden", "anything"):
        sign_in(admin).post(hide, {"code": code})
    assert Membership.objects.get(pk=admin.pk).dismissed == [f"continuity.away:{other.pk}"]
    assert told not in members(admin, sign_in)


def test_of_many_admins_who_are_away_five_are_told(admin: Membership) -> None:
    for _admin in range(6):
        sign_in_ago(MembershipFactory(organization=admin.organization, role=Role.ADMIN), days=91)
    assert len(people_warnings(admin)) == 5


@pytest.mark.parametrize("others", [0, 1])
def test_what_mends_it_is_asked_in_a_dialog(others: int, admin: Membership) -> None:
    for _admin in range(others):
        sign_in_ago(MembershipFactory(organization=admin.organization, role=Role.ADMIN), days=91)
    (warning,) = people_warnings(admin)
    assert warning.opens_dialog


def test_who_can_mend_nothing_is_warned_of_nothing(member: Membership) -> None:
    assert people_warnings(member) == []


def test_an_admin_who_has_just_joined_is_not_away(admin: Membership, sign_in: SignIn) -> None:
    MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    assert "90 days" not in members(admin, sign_in)


def test_a_warning_is_hidden_from_the_person_alone(admin: Membership, sign_in: SignIn) -> None:
    other = MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    account = BillingAccountFactory(organization=admin.organization, copies_to=["books@ledger.test"])
    issued(account.organization, State.FAILED, "1")
    hide = reverse("warning_hide", args=[admin.organization.slug])
    for code in ("continuity.bounced:books@ledger.test", "start.hidden", "anything"):
        sign_in(admin).post(hide, {"code": code})
    assert Membership.objects.get(pk=admin.pk).dismissed == ["continuity.bounced:books@ledger.test"]
    assert BOUNCED not in billing(admin, sign_in)
    assert BOUNCED in billing(other, sign_in)
