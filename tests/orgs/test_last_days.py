"""Billing managers for a time: told ahead, refused from the first instant after, ended by beat."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.mail import EmailMultiAlternatives
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import ActorKind, AuditEvent
from billing.notices import tell_of_failed_payment
from invitations import services as invitations
from invitations.models import Invitation, Kind, State
from orgs import services
from orgs.access_requests import request_access
from orgs.errors import Refused
from orgs.models import Membership, Organization
from orgs.policy import Permission, Role
from orgs.tasks import end_past_last_days, remind_of_last_days
from outbox.delivery import deliver_due
from outbox.models import OutgoingEmail
from tests.billing.factories import InvoiceFactory
from tests.conftest import SignIn
from tests.factories import MembershipFactory, UserFactory
from tests.invitations.claims import by_mail
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import text

pytestmark = pytest.mark.django_db

FAR = "2999-03-31"


def in_days(days: int) -> date:
    """A day in UTC, counted from today."""
    return timezone.now().astimezone(UTC).date() + timedelta(days=days)


@pytest.fixture
def auditor(organization: Organization) -> Membership:
    return MembershipFactory(organization=organization, role=Role.BILLING_VIEWER, last_day=in_days(0))


def let_last_day_pass(membership: Membership) -> None:
    Membership.objects.filter(pk=membership.pk).update(last_day=in_days(-1))
    membership.refresh_from_db()


def managers_post(client: Client, name: str, organization: Organization, **data: str) -> int:
    return client.post(reverse(name, args=[organization.slug]), data).status_code


def test_a_last_day_goes_from_the_invitation_to_the_membership(admin: Membership, sign_in: SignIn) -> None:
    client, organization = sign_in(admin), admin.organization
    managers_post(client, "managers_invite", organization, email="lee@ledger.test", last_day=FAR)
    managers_post(client, "managers_link", organization, last_day=FAR)
    assert set(Invitation.objects.values_list("kind", "last_day")) == {
        (kind, date(2999, 3, 31)) for kind in Kind
    }
    invitation = Invitation.objects.get(kind=Kind.MAIL)
    lee = UserFactory(email="lee@ledger.test")
    page = text(sign_in_as(lee).get(reverse("invitation", args=[invitation.pk])))
    assert "31 March 2999 (UTC)" in page
    invitations.accept(user=lee, claim=by_mail(invitation))
    assert Membership.objects.get(user=lee).last_day == date(2999, 3, 31)


def sign_in_as(user: object) -> Client:
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]
    return client


def test_a_day_that_has_passed_can_not_be_chosen(
    admin: Membership, billing_manager: Membership, sign_in: SignIn
) -> None:
    client, organization, past = sign_in(admin), admin.organization, in_days(-1)
    for name in ("managers_invite", "managers_link"):
        assert managers_post(client, name, organization, email="l@x.test", last_day=str(past)) == 422
    own = reverse("manager_last_day", args=[organization.slug, billing_manager.pk])
    assert client.post(own, {"last_day": str(past), "shown_last_day": ""}).status_code == 422
    with pytest.raises(Refused, match="has passed"):
        invitations.invite_by_mail(
            actor=admin, email="lee@ledger.test", role=Role.BILLING_MANAGER, last_day=past
        )
    with pytest.raises(Refused, match="has passed"):
        invitations.create_link(actor=admin, role=Role.BILLING_MANAGER, last_day=past)
    assert not Invitation.objects.exists()


def test_only_billing_managers_have_a_last_day(admin: Membership, auditor: Membership) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.filter(pk=admin.pk).update(last_day=in_days(1))
    services.change_role(actor=admin, membership_id=auditor.pk, role=Role.BILLING_MANAGER)
    assert Membership.objects.get(pk=auditor.pk).last_day == in_days(0)
    services.change_role(actor=admin, membership_id=auditor.pk, role=Role.MEMBER)
    assert Membership.objects.get(pk=auditor.pk).last_day is None


def test_an_admin_changes_and_clears_it(admin: Membership, auditor: Membership, sign_in: SignIn) -> None:
    client = sign_in(admin)
    own = reverse("manager_last_day", args=[admin.organization.slug, auditor.pk])
    client.post(own, {"last_day": FAR, "shown_last_day": str(in_days(0))})
    assert Membership.objects.get(pk=auditor.pk).last_day == date(2999, 3, 31)
    billing = reverse("billing", args=[admin.organization.slug])
    for reader in (admin, auditor):
        assert "until 31 March 2999 (UTC)" in text(sign_in(reader).get(billing))
    client.post(own, {"last_day": "", "shown_last_day": FAR})
    assert Membership.objects.get(pk=auditor.pk).last_day is None
    changed = AuditEvent.objects.filter(action="membership.last_day_changed").order_by("id")
    assert [event.data["new"] for event in changed] == [FAR, None]


def test_the_last_day_still_counts_and_the_next_instant_does_not(
    auditor: Membership, sign_in: SignIn
) -> None:
    client, billing = sign_in(auditor), reverse("billing", args=[auditor.organization.slug])
    assert client.get(billing).status_code == 200
    let_last_day_pass(auditor)
    # Beat has not come yet.
    assert client.get(billing).status_code == 404
    assert not auditor.permissions
    assert auditor.organization.name not in text(client.get(reverse("organizations")))
    with pytest.raises(Membership.DoesNotExist):
        request_access(actor=auditor, permission=Permission.MEMBERS_LIST)


def test_no_mail_about_money_goes_out_after_the_last_day(billing_manager: Membership) -> None:
    let_last_day_pass(billing_manager)
    organization = billing_manager.organization
    tell_of_failed_payment(organization, InvoiceFactory(organization=organization, status="open"))
    assert not OutgoingEmail.objects.exists()


def test_beat_ends_it_once_however_late(
    admin: Membership, auditor: Membership, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    end_past_last_days()
    assert Membership.objects.filter(pk=auditor.pk).exists()
    let_last_day_pass(auditor)
    Membership.objects.filter(pk=auditor.pk).update(last_day=in_days(-90))
    end_past_last_days()
    end_past_last_days()
    assert not Membership.objects.filter(pk=auditor.pk).exists()
    event = AuditEvent.objects.get(action="membership.last_day_passed")
    assert event.actor_kind == ActorKind.SYSTEM
    deliver_due()
    (mail,) = mailoutbox
    assert mail.to == [auditor.user.email]
    assert mail.subject.startswith("Your time as view-only billing manager of")


def test_what_hangs_on_the_membership_ends_with_it(billing_manager: Membership) -> None:
    organization = billing_manager.organization
    sent = InvitationFactory(organization=organization, inviter=billing_manager)
    let_last_day_pass(billing_manager)
    end_past_last_days()
    assert Invitation.objects.get(pk=sent.pk).state == State.REVOKED


@pytest.mark.parametrize(
    ("days", "reminders"), [(8, 0), (7, 1), (2, 1), (1, 1), (0, 1)], ids=["8", "7", "2", "1", "0"]
)
def test_the_person_and_the_admins_are_reminded_once(
    days: int, reminders: int, admin: Membership, auditor: Membership
) -> None:
    Membership.objects.filter(pk=auditor.pk).update(last_day=in_days(days))
    remind_of_last_days()
    remind_of_last_days()
    to = sorted(OutgoingEmail.objects.values_list("to", flat=True))
    assert to == sorted([admin.user.email, auditor.user.email] * reminders)


def test_a_week_and_a_day_ahead_are_two_reminders(
    admin: Membership, auditor: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    Membership.objects.filter(pk=auditor.pk).update(last_day=date(2999, 3, 31))
    for day in range(20, 32):
        instant = datetime(2999, 3, day, 6, 25, tzinfo=UTC)
        monkeypatch.setattr("django.utils.timezone.now", lambda instant=instant: instant)
        remind_of_last_days()
    assert OutgoingEmail.objects.filter(to=auditor.user.email).count() == 2


def test_a_reminder_of_a_day_that_was_changed_since_is_dropped(
    admin: Membership, auditor: Membership, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    remind_of_last_days()
    services.change_last_day(
        actor=admin, membership_id=auditor.pk, last_day=date(2999, 3, 31), shown=in_days(0)
    )
    deliver_due()
    assert mailoutbox == []


def test_an_invitation_ends_with_its_last_day(admin: Membership, sign_in: SignIn) -> None:
    organization = admin.organization
    invitation = InvitationFactory(
        organization=organization,
        inviter=admin,
        last_day=in_days(-1),
        sent_at=timezone.now() - timedelta(days=2),
    )
    with pytest.raises(Refused, match="has expired"):
        invitations.accept(user=UserFactory(email=invitation.email), claim=by_mail(invitation))
    with pytest.raises(Refused, match="last day of this invitation has passed"):
        invitations.resend(actor=admin, invitation_id=invitation.pk)
    assert "Expired" in text(sign_in(admin).get(reverse("billing", args=[organization.slug])))
    assert not Invitation.objects.live(organization).exists()
    # Another one for the address takes its place.
    invitations.invite_by_mail(actor=admin, email=invitation.email, role=Role.BILLING_MANAGER)
    assert Invitation.objects.get(pk=invitation.pk).state == State.EXPIRED
