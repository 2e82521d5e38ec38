"""Pending invitations stand on their inviter's right, the edition's room and an open organization."""

import pytest

import orgs.services
from audit.models import AuditEvent
from invitations.models import Invitation, State
from orgs.models import Membership, Organization
from orgs.policy import Role
from outbox.models import OutgoingEmail
from tests.factories import MembershipFactory
from tests.invitations.factories import InvitationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def inviter(organization: Organization) -> Membership:
    return MembershipFactory(organization=organization, role=Role.ADMIN)


def states(*invitations: Invitation) -> list[str]:
    for invitation in invitations:
        invitation.refresh_from_db()
    return [invitation.state for invitation in invitations]


def test_who_is_removed_takes_his_invitations_along(admin: Membership, inviter: Membership) -> None:
    own = InvitationFactory(organization=admin.organization, inviter=inviter)
    others = InvitationFactory(organization=admin.organization, inviter=admin)
    elsewhere = InvitationFactory(inviter=inviter)
    orgs.services.remove_member(actor=admin, membership_id=inviter.pk)
    assert states(own, others, elsewhere) == [State.REVOKED, State.PENDING, State.PENDING]
    assert OutgoingEmail.objects.get(kind="invitation_revoked").to == own.email
    assert AuditEvent.objects.filter(action="invitation.revoked").count() == 1


def test_who_leaves_takes_his_invitations_along(admin: Membership, inviter: Membership) -> None:
    own = InvitationFactory(organization=admin.organization, inviter=inviter)
    orgs.services.leave(membership=inviter)
    assert states(own) == [State.REVOKED]


def test_a_demoted_admin_loses_his_invitations(admin: Membership, inviter: Membership) -> None:
    own = [InvitationFactory(organization=admin.organization, inviter=inviter, role=role) for role in Role]
    orgs.services.change_role(actor=admin, membership_id=inviter.pk, role=Role.MEMBER)
    assert states(*own) == [State.REVOKED] * len(Role)


def test_an_admin_who_becomes_a_billing_manager_keeps_what_one_may_send(
    admin: Membership, inviter: Membership
) -> None:
    Organization.objects.filter(pk=admin.organization_id).update(managers_manage_managers=True)
    own = [
        InvitationFactory(organization=admin.organization, inviter=inviter, role=role)
        for role in (Role.MEMBER, Role.BILLING_MANAGER)
    ]
    orgs.services.change_role(actor=admin, membership_id=inviter.pk, role=Role.BILLING_MANAGER)
    assert states(*own) == [State.REVOKED, State.PENDING]
