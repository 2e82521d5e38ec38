"""Writes are those of the pages; sent again with a key they are done once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from api.models import KeptAnswer
from api.tasks import forget_answers
from audit.models import AuditEvent
from invitations.models import Invitation, State
from invitations.services.mail_limits import MAILS_PER_DAY
from orgs.models import Membership
from orgs.policy import Permission, Role
from outbox.models import OutgoingEmail
from tests.api.program import is_problem, program_of, told
from tests.factories import MembershipFactory
from tests.invitations.factories import InvitationFactory
from tests.races import at_once

pytestmark = pytest.mark.django_db
P = Permission
LEE = {"email": "Lee@example.test", "role": "billing_manager"}


def test_an_invitation_is_sent_as_by_the_page(admin: Membership) -> None:
    invited = told(program_of(admin).post("invitations", LEE), 201)
    invitation = Invitation.objects.get()
    assert invited["id"] == str(invitation.pk)
    assert (invited["email"], invited["role"], invited["state"]) == (
        "lee@example.test",
        "billing_manager",
        "pending",
    )
    assert OutgoingEmail.objects.filter(kind="invitation_sent", to="lee@example.test").exists()
    event = AuditEvent.objects.get(action="invitation.sent")
    assert (event.actor_id, event.token_name) == (admin.user_id, "CI")


def test_nobody_becomes_an_admin_by_a_token(admin: Membership) -> None:
    program = program_of(admin)
    is_problem(program.post("invitations", {**LEE, "role": "admin"}), 422)
    waiting = InvitationFactory(
        organization=admin.organization,
        inviter=admin,
        role=Role.ADMIN,
        sent_at=timezone.now() - timedelta(hours=1),
    )
    problem = is_problem(program.post(f"invitations/{waiting.pk}/resend"), 409)
    assert "password" in problem["detail"]
    assert told(program.post(f"invitations/{waiting.pk}/revoke"))["state"] == "revoked"


def test_each_role_needs_its_own_permission(admin: Membership) -> None:
    program = program_of(admin, P.BILLING_MANAGERS_INVITE)
    told(program.post("invitations", LEE), 201)
    problem = is_problem(program.post("invitations", {"email": "x@example.test", "role": "member"}), 403)
    assert problem["permission"] == "members.invite"


@pytest.mark.parametrize(
    "address", ["nobody", "", "\ud800", "x\0@example.test", "x@example.test\nBcc: y@example.test"]
)
def test_a_wrong_address_is_refused(admin: Membership, address: str) -> None:
    answer = program_of(admin).post("invitations", {**LEE, "email": address})
    is_problem(answer, 409)
    assert not Invitation.objects.exists()


def test_the_limits_of_the_pages_hold(admin: Membership) -> None:
    program = program_of(admin)
    told(program.post("invitations", LEE), 201)
    Invitation.objects.update(sent_at=timezone.now() - timedelta(hours=1))
    is_problem(program.post("invitations", LEE), 409)
    InvitationFactory.create_batch(MAILS_PER_DAY, organization=admin.organization, inviter=admin)
    problem = is_problem(program.post("invitations", {**LEE, "email": "max@example.test"}), 429)
    assert "limit" in problem["detail"]


def test_resending_and_revoking(admin: Membership) -> None:
    program = program_of(admin)
    invitation = InvitationFactory(organization=admin.organization, inviter=admin)
    is_problem(program.post(f"invitations/{invitation.pk}/resend"), 409)
    Invitation.objects.update(sent_at=timezone.now() - timedelta(hours=1))
    told(program.post(f"invitations/{invitation.pk}/resend"))
    assert told(program.post(f"invitations/{invitation.pk}/revoke"))["state"] == "revoked"
    told(program.post(f"invitations/{invitation.pk}/revoke"))
    invitation.refresh_from_db()
    assert (invitation.state, invitation.generation) == (State.REVOKED, 2)


def test_a_delegated_billing_manager_sees_their_own_invitations(
    admin: Membership, billing_manager: Membership
) -> None:
    """By a session: billing managers have no tokens."""
    from tests.api.test_access import browser

    organization = admin.organization
    organization.managers_manage_managers = True
    organization.save()
    own = InvitationFactory(organization=organization, inviter=billing_manager)
    other = InvitationFactory(organization=organization, inviter=admin)
    program = browser(billing_manager, organization.slug)
    listed = told(program.get("invitations"))["data"]
    assert [one["id"] for one in listed] == [str(own.pk)]
    is_problem(program.post(f"invitations/{other.pk}/revoke"), 404)


def test_a_billing_manager_is_removed(admin: Membership, billing_manager: Membership) -> None:
    program = program_of(admin)
    told(program.ask("DELETE", f"billing-managers/{billing_manager.pk}"), 204)
    is_problem(program.ask("DELETE", f"billing-managers/{billing_manager.pk}"), 404)
    is_problem(program.ask("DELETE", f"billing-managers/{admin.pk}"), 404)
    assert AuditEvent.objects.get(action="membership.removed").token_name == "CI"


def test_with_a_key_a_write_is_done_once_and_answered_alike(admin: Membership) -> None:
    program = program_of(admin)
    first, second = (program.post("invitations", LEE, **{"idempotency-key": "k"}) for _time in range(2))
    assert told(first, 201) == told(second, 201)
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert Invitation.objects.count() == 1


def test_an_answer_without_a_body_is_kept_too(admin: Membership, billing_manager: Membership) -> None:
    program = program_of(admin)
    for _time in range(2):
        path = f"billing-managers/{billing_manager.pk}"
        told(program.ask("DELETE", path, **{"idempotency-key": "k"}), 204)


def test_a_key_is_for_one_request(admin: Membership) -> None:
    program = program_of(admin)
    told(program.post("invitations", LEE, **{"idempotency-key": "k"}), 201)
    other = {**LEE, "email": "max@example.test"}
    problem = is_problem(program.post("invitations", other, **{"idempotency-key": "k"}), 422)
    assert "another request" in problem["detail"]
    # Of another program the same key is another.
    told(program_of(admin).post("invitations", other, **{"idempotency-key": "k"}), 201)


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "ö"])
def test_a_wrong_key_is_told(admin: Membership, key: str) -> None:
    is_problem(program_of(admin).post("invitations", LEE, **{"idempotency-key": key}), 422)
    assert not Invitation.objects.exists()


def test_what_was_refused_may_be_tried_again(admin: Membership) -> None:
    program = program_of(admin)
    invitation = InvitationFactory(organization=admin.organization, inviter=admin)
    path = f"invitations/{invitation.pk}/resend"
    is_problem(program.post(path, **{"idempotency-key": "k"}), 409)
    Invitation.objects.update(sent_at=timezone.now() - timedelta(hours=1))
    told(program.post(path, **{"idempotency-key": "k"}))


def test_a_key_is_forgotten_after_a_day(admin: Membership) -> None:
    program = program_of(admin)
    told(program.post("invitations", LEE, **{"idempotency-key": "k"}), 201)
    KeptAnswer.objects.update(created_at=timezone.now() - timedelta(hours=25))
    Invitation.objects.update(sent_at=timezone.now() - timedelta(hours=25))
    is_problem(program.post("invitations", LEE, **{"idempotency-key": "k"}), 409)
    assert KeptAnswer.objects.count() == 1
    forget_answers()
    assert not KeptAnswer.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_is_done(admin: Membership) -> None:
    for number in range(3):
        program, other = program_of(admin), None
        body = {**LEE, "email": f"lee{number}@example.test"}
        other = type(program)(program.slug, program.secret)
        answers = at_once(
            *(
                lambda one=one: one.post("invitations", body, **{"idempotency-key": "k"})
                for one in (program, other)
            )
        )
        assert len({told(answer, 201)["id"] for answer in answers}) == 1
    assert Invitation.objects.count() == 3


def test_a_removed_persons_token_finds_nothing_to_write(admin: Membership) -> None:
    other = MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    program = program_of(admin)
    other.organization = admin.organization
    admin.delete()
    is_problem(program.post("invitations", LEE), 401)
