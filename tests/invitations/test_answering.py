"""Accepting and declining: every check, as of the moment of the answer.

Two mutants of ``services/answering.py`` are the same program: without the test for an inviter, as nobody's
membership has the id None, and without the check for ALREADY_IN, behind which the constraint says the same.
Here and in ``asking.py``, saving all columns of the locked row writes what they hold already.
"""

from datetime import timedelta
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from invitations import services
from invitations.claims import Channel, Claim
from invitations.models import Invitation, Kind, State
from invitations.refusals import AcceptRefused, Reason, sentence_for_invitee
from orgs.models import Membership
from orgs.policy import Role
from outbox.models import OutgoingEmail
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory
from tests.invitations.claims import by_link, by_mail
from tests.invitations.factories import InvitationFactory

pytestmark = pytest.mark.django_db


def invited(invitation: Invitation) -> User:
    return UserFactory(email=invitation.email)


def assert_refused(invitation: Invitation, user: User, reason: Reason, claim: Claim | None = None) -> None:
    """The acceptance is refused, nobody joins, and nothing but the error is written."""
    people = Membership.objects.count()
    state = Invitation.objects.get(pk=invitation.pk).state
    with pytest.raises(AcceptRefused) as refused:
        services.accept(user=user, claim=claim or by_mail(invitation))
    assert refused.value.reason is reason
    assert refused.value.message == sentence_for_invitee(reason, invitation.organization.name)
    assert Membership.objects.count() == people
    invitation.refresh_from_db()
    assert invitation.state == state
    if state == State.PENDING:
        assert (invitation.last_error, invitation.last_error_by) == (reason, user.email)
        assert invitation.last_error_at is not None
    assert AuditEvent.objects.filter(action="invitation.refused", actor_id=user.pk).exists()


@pytest.mark.parametrize("role", Role)
def test_the_invited_person_joins_in_the_invited_role(role: Role) -> None:
    invitation = InvitationFactory(role=role)
    user = invited(invitation)
    services.accept(user=user, claim=by_mail(invitation))
    assert Membership.objects.get(user=user).role == role
    invitation.refresh_from_db()
    assert (invitation.state, invitation.accepted_by) == (State.ACCEPTED, user)
    event = AuditEvent.objects.get()
    assert event.actor_id == user.pk
    assert event.sentence == (
        f"accepted the invitation of {invitation.invited_by_name} and joined as {role.label}"
    )


def test_a_link_takes_any_account() -> None:
    invitation = InvitationFactory(kind=Kind.LINK)
    user = UserFactory()
    services.accept(user=user, claim=by_link(invitation))
    assert Membership.objects.get(user=user).role == Role.BILLING_MANAGER


def test_a_mail_invitation_accepted_over_a_copied_link_needs_the_verified_address_too() -> None:
    invitation = InvitationFactory()
    assert_refused(invitation, UserFactory(), Reason.OTHER_ADDRESS, by_link(invitation))
    services.accept(user=invited(invitation), claim=by_link(invitation))


@pytest.mark.parametrize("channel", Channel)
def test_another_address_is_refused(channel: Channel) -> None:
    invitation = InvitationFactory()
    assert_refused(
        invitation, UserFactory(), Reason.OTHER_ADDRESS, Claim(invitation.pk, invitation.generation, channel)
    )


def test_an_unverified_address_is_refused() -> None:
    invitation = InvitationFactory()
    assert_refused(invitation, UserFactory(email=invitation.email, verified=False), Reason.UNVERIFIED)


def test_a_second_verified_address_will_do() -> None:
    invitation = InvitationFactory()
    user = UserFactory()
    EmailAddress.objects.create(user=user, email=invitation.email, verified=True, primary=False)
    services.accept(user=user, claim=by_mail(invitation))


def test_accepting_twice_changes_nothing() -> None:
    invitation = InvitationFactory()
    user = invited(invitation)
    for _twice in range(2):
        services.accept(user=user, claim=by_mail(invitation))
    assert Membership.objects.filter(user=user).count() == 1
    assert OutgoingEmail.objects.filter(kind="invitation_accepted").count() == 1
    assert AuditEvent.objects.count() == 1


def test_a_link_works_once() -> None:
    invitation = InvitationFactory(kind=Kind.LINK)
    services.accept(user=UserFactory(), claim=by_link(invitation))
    assert_refused(invitation, UserFactory(), Reason.USED, by_link(invitation))


def test_who_accepted_and_was_removed_cannot_come_back_by_the_same_link() -> None:
    invitation = InvitationFactory(kind=Kind.LINK)
    user = UserFactory()
    services.accept(user=user, claim=by_link(invitation))
    Membership.objects.get(user=user).delete()
    assert_refused(invitation, user, Reason.USED, by_link(invitation))


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (State.DECLINED, Reason.DECLINED),
        (State.REVOKED, Reason.REVOKED),
        (State.EXPIRED, Reason.EXPIRED),
    ],
)
def test_a_decided_invitation_is_refused(state: State, reason: Reason) -> None:
    invitation = InvitationFactory(state=state, decided_at=timezone.now())
    assert_refused(invitation, invited(invitation), reason)


def test_an_older_link_is_refused() -> None:
    invitation = InvitationFactory(generation=2)
    claim = Claim(invitation.pk, 1, Channel.MAIL)
    assert_refused(invitation, invited(invitation), Reason.SUPERSEDED, claim)


def test_an_overdue_invitation_is_refused_and_by_default_none_is() -> None:
    sent = timezone.now() - timedelta(days=400)
    invitation = InvitationFactory(organization__invitation_max_age_days=365, sent_at=sent)
    assert_refused(invitation, invited(invitation), Reason.EXPIRED)
    ageless = InvitationFactory(sent_at=sent)
    services.accept(user=invited(ageless), claim=by_mail(ageless))


@pytest.mark.parametrize("decided", [False, True])
def test_the_same_refusal_is_told_once_however_often_somebody_tries(decided: bool) -> None:
    invitation = InvitationFactory()
    user = UserFactory()
    if decided:
        invitation.state, invitation.decided_at = State.REVOKED, timezone.now()
        invitation.save()
    for _again in range(3):
        with pytest.raises(AcceptRefused):
            services.accept(user=user, claim=by_mail(invitation))
    assert AuditEvent.objects.filter(action="invitation.refused").count() == 1
    with pytest.raises(AcceptRefused):
        services.accept(user=UserFactory(), claim=by_mail(invitation))
    assert AuditEvent.objects.filter(action="invitation.refused").count() == 2


def test_only_the_constraint_on_memberships_says_that_somebody_is_in_already(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    invitation = InvitationFactory()
    user = invited(invitation)

    def break_another_constraint(*_args: object, **_values: object) -> None:
        InvitationFactory(organization=invitation.organization, generation=0)

    monkeypatch.setattr("orgs.acting.enqueue_each", break_another_constraint)
    with pytest.raises(IntegrityError, match="invitation_generation_positive"):
        services.accept(user=user, claim=by_mail(invitation))
    invitation.refresh_from_db()
    assert invitation.last_error == ""


@pytest.mark.django_db(transaction=True)
def test_an_account_that_was_deleted_meanwhile_joins_nothing() -> None:
    invitation, user = InvitationFactory(kind=Kind.LINK), UserFactory()
    User.objects.filter(pk=user.pk).delete()
    with pytest.raises(User.DoesNotExist):
        services.accept(user=user, claim=by_link(invitation))
    invitation.refresh_from_db()
    assert (invitation.state, invitation.last_error) == (State.PENDING, "")


@pytest.mark.parametrize("role", [Role.MEMBER, Role.BILLING_MANAGER])
def test_an_inviter_who_lost_the_right_invites_nobody(role: Role) -> None:
    invitation = InvitationFactory()
    Membership.objects.filter(user=invitation.invited_by).update(role=role)
    assert_refused(invitation, invited(invitation), Reason.INVITER)


def test_an_inviter_who_is_gone_invites_nobody() -> None:
    left, deleted = InvitationFactory(), InvitationFactory()
    Membership.objects.filter(user=left.invited_by).delete()
    assert_refused(left, invited(left), Reason.INVITER)
    assert deleted.invited_by is not None
    deleted.invited_by.delete()
    assert_refused(deleted, invited(deleted), Reason.INVITER)


def test_an_inviter_of_another_organization_has_no_say() -> None:
    """The membership of the same person elsewhere must not count."""
    invitation = InvitationFactory()
    Membership.objects.filter(user=invitation.invited_by).delete()
    MembershipFactory(user=invitation.invited_by, role=Role.ADMIN)
    assert_refused(invitation, invited(invitation), Reason.INVITER)


def test_a_billing_managers_invitation_holds_while_the_organization_allows_it() -> None:
    organization = OrganizationFactory(managers_manage_managers=True)
    inviter = MembershipFactory(organization=organization, role=Role.BILLING_MANAGER)
    first, second = (InvitationFactory(organization=organization, inviter=inviter) for _ in range(2))
    services.accept(user=invited(first), claim=by_mail(first))
    organization.managers_manage_managers = False
    organization.save()
    assert_refused(second, invited(second), Reason.INVITER)


@pytest.mark.parametrize("role", Role)
def test_who_is_in_already_keeps_his_role(role: Role) -> None:
    invitation = InvitationFactory()
    user = invited(invitation)
    membership = MembershipFactory(organization=invitation.organization, user=user, role=role)
    assert_refused(invitation, user, Reason.ALREADY_IN)
    membership.refresh_from_db()
    assert membership.role == role


def test_the_constraint_behind_the_check_gives_the_same_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    invitation = InvitationFactory()
    user = invited(invitation)
    MembershipFactory(organization=invitation.organization, user=user)
    monkeypatch.setattr(services.answering, "_unfit_because", lambda *_: None)
    assert_refused(invitation, user, Reason.ALREADY_IN)


def test_a_full_edition_takes_nobody_in_and_the_invitation_stays() -> None:
    invitation = InvitationFactory(organization__edition_code="team-growth")
    manager = MembershipFactory(organization=invitation.organization, role=Role.BILLING_MANAGER)
    user = invited(invitation)
    assert_refused(invitation, user, Reason.NO_ROOM)
    manager.delete()
    services.accept(user=user, claim=by_mail(invitation))


def test_his_own_reservation_stands_in_nobodys_way() -> None:
    invitation = InvitationFactory(organization__edition_code="team-growth")
    services.accept(user=invited(invitation), claim=by_mail(invitation))


def test_the_inviter_and_for_a_billing_manager_every_admin_is_told_once() -> None:
    invitation = InvitationFactory(kind=Kind.LINK)
    other_admin = MembershipFactory(organization=invitation.organization, role=Role.ADMIN)
    MembershipFactory(organization=invitation.organization, role=Role.MEMBER)
    MembershipFactory(organization=invitation.organization, role=Role.BILLING_MANAGER)
    services.accept(user=UserFactory(), claim=by_link(invitation))
    assert invitation.invited_by is not None
    told = OutgoingEmail.objects.filter(kind="invitation_accepted")
    assert {mail.to for mail in told} == {invitation.invited_by.email, other_admin.user.email}
    assert {mail.params["inviter"] for mail in told} == {invitation.invited_by_name}


def test_of_a_new_member_only_the_inviter_is_told() -> None:
    invitation = InvitationFactory(kind=Kind.LINK, role=Role.MEMBER)
    MembershipFactory(organization=invitation.organization, role=Role.ADMIN)
    services.accept(user=UserFactory(), claim=by_link(invitation))
    assert invitation.invited_by is not None
    assert OutgoingEmail.objects.get().to == invitation.invited_by.email


def test_accepting_takes_few_statements() -> None:
    invitation = InvitationFactory(organization__edition_code="team-growth")
    user = invited(invitation)
    with CaptureQueriesContext(
        connection,
    ) as statements:
        services.accept(user=user, claim=by_mail(invitation))
    sent = [q["sql"] for q in statements if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(sent) <= 11, sent


def test_whoever_holds_the_link_declines_and_the_inviter_reads_why() -> None:
    invitation = InvitationFactory()
    services.decline(claim=by_mail(invitation), message="Wrong person, sorry.")
    invitation.refresh_from_db()
    assert (invitation.state, invitation.decline_message) == (State.DECLINED, "Wrong person, sorry.")
    mail = OutgoingEmail.objects.get()
    assert invitation.invited_by is not None
    assert (mail.kind, mail.to) == ("invitation_declined", invitation.invited_by.email)
    assert mail.params["person"] == invitation.email
    event = AuditEvent.objects.get()
    assert event.actor_name == event.actor == invitation.email


def test_who_declines_with_nothing_but_a_link_is_told_without_a_name() -> None:
    assert services.decline(claim=by_link(InvitationFactory(kind=Kind.LINK))).decline_message == ""
    assert AuditEvent.objects.get().actor == "a person with the link"


def test_declining_twice_tells_once() -> None:
    invitation, user = InvitationFactory(), UserFactory()
    for _twice in range(2):
        declined = services.decline(claim=by_mail(invitation), user=user)
        assert (declined.pk, declined.state) == (invitation.pk, State.DECLINED)
    assert OutgoingEmail.objects.count() == 1
    assert AuditEvent.objects.get().actor_id == user.pk


def test_what_was_sent_by_a_person_who_is_gone_is_declined_and_nobody_is_told() -> None:
    invitation = InvitationFactory()
    assert invitation.invited_by is not None
    invitation.invited_by.delete()
    assert services.decline(claim=by_mail(invitation)).state == State.DECLINED
    assert not OutgoingEmail.objects.exists()


def test_a_dead_claim_declines_nothing() -> None:
    invitation = InvitationFactory(generation=2)
    with pytest.raises(AcceptRefused) as refused:
        services.decline(claim=Claim(invitation.pk, 1, Channel.MAIL))
    assert refused.value.message == sentence_for_invitee(Reason.SUPERSEDED, invitation.organization.name)
    with pytest.raises(Invitation.DoesNotExist):
        services.decline(claim=Claim(uuid4(), 1, Channel.MAIL))
    invitation.refresh_from_db()
    assert invitation.state == State.PENDING
