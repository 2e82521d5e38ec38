"""People ask for access; the admins get one mail a day that lists what was asked, and nothing is lost."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.core.mail import EmailMultiAlternatives
from django.db.models import F
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from orgs import services
from orgs.models import AccessRequest, Membership, Organization
from orgs.policy import Permission, Role, may
from outbox.delivery import deliver_due
from outbox.models import OutgoingEmail, State
from tests.conftest import SignIn
from tests.factories import MembershipFactory
from tests.races import ROUNDS, at_once

pytestmark = pytest.mark.django_db

EVENING = datetime(2026, 11, 25, 23, 52, tzinfo=UTC)
At = Callable[[datetime], None]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Iterator[At]:
    """Sets the portal's clock."""
    with monkeypatch.context() as patch:
        yield lambda instant: patch.setattr("django.utils.timezone.now", lambda: instant)


def ask(client: Client, membership: Membership, permission: Permission) -> None:
    url = reverse("access_request", args=[membership.organization.slug])
    response = client.post(url, {"permission": permission.value}, follow=True)
    assert "The admins get one mail a day that lists what was asked." in response.content.decode()


def deliver_all() -> None:
    """Deliver as if each mail's time had come."""
    OutgoingEmail.objects.update(next_attempt_at=F("created_at"))
    deliver_due()


def lacked_by(membership: Membership) -> list[Permission]:
    return [permission for permission in Permission if not may(membership, permission)]


def test_whatever_many_people_ask_for_is_one_mail_to_each_admin(
    admin: Membership,
    member: Membership,
    billing_manager: Membership,
    sign_in: SignIn,
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    second = MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    for person in (member, billing_manager):
        client = sign_in(person)
        for permission in lacked_by(person):
            ask(client, person, permission)
            ask(client, person, permission)
    deliver_all()
    assert sorted(mail.to[0] for mail in mailoutbox) == sorted([admin.user.email, second.user.email])
    for mail in mailoutbox:
        assert mail.subject == f"Access requests in {admin.organization.name}"
        for body in (str(mail.body), str(mail.alternatives[0][0]).replace("&#x27;", "'")):
            for person in (member, billing_manager):
                assert body.count(f"{person.user.name} asks to be allowed to:") == 1
                assert all(str(permission.label) in body for permission in lacked_by(person))
    asked = len(lacked_by(member)) + len(lacked_by(billing_manager))
    assert AuditEvent.objects.filter(action="access.requested").count() == asked


def test_the_mail_waits_some_minutes_for_others(admin: Membership, member: Membership, at: At) -> None:
    at(EVENING)
    services.request_access(actor=member, permission=Permission.AUDIT_READ)
    assert OutgoingEmail.objects.get().next_attempt_at == EVENING + timedelta(minutes=10)


def test_a_mail_that_waits_is_not_sent_before_its_time(admin: Membership, member: Membership) -> None:
    services.request_access(actor=member, permission=Permission.AUDIT_READ)
    assert deliver_due() == 0
    assert OutgoingEmail.objects.get().state == State.QUEUED


def test_later_requests_are_in_the_next_days_mail_though_nobody_asks_then(
    admin: Membership, member: Membership, at: At, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    at(EVENING)
    services.request_access(actor=member, permission=Permission.AUDIT_READ)
    at(EVENING + timedelta(minutes=9, seconds=30))
    services.request_access(actor=member, permission=Permission.BILLING_VIEW)
    at(EVENING + timedelta(hours=5))
    services.request_access(actor=member, permission=Permission.MEMBERS_INVITE)
    services.request_access(actor=member, permission=Permission.AUDIT_READ)
    times = OutgoingEmail.objects.order_by("next_attempt_at").values_list("next_attempt_at", flat=True)
    first = EVENING + timedelta(minutes=10)
    assert list(times) == [first, first + timedelta(days=1)]
    listed = {request.permission: request.mail_at for request in AccessRequest.objects.order_by("permission")}
    # What comes in the last minute may be committed after the mail was written.
    assert listed == dict.fromkeys(
        ["audit.read", "billing.view", "members.invite"], first + timedelta(days=1)
    )
    at(first + timedelta(days=3))
    services.request_access(actor=member, permission=Permission.BILLING_VIEW)
    assert OutgoingEmail.objects.count() == 3
    assert AccessRequest.objects.get(permission="billing.view").mail_at == first + timedelta(
        days=3, minutes=10
    )


@pytest.mark.parametrize(
    "gap", [timedelta(minutes=n) for n in (0, 1, 8, 11, 600, 1430, 1439, 1440, 1441, 4000)]
)
def test_two_mails_are_a_day_apart_and_each_request_is_in_one(
    gap: timedelta, admin: Membership, member: Membership, billing_manager: Membership, at: At
) -> None:
    instant = EVENING
    for permission in lacked_by(member)[:6]:
        at(instant)
        services.request_access(actor=member, permission=permission)
        request = AccessRequest.objects.get(permission=permission)
        assert timedelta(minutes=1) < request.mail_at - instant <= timedelta(days=1, minutes=1)
        assert OutgoingEmail.objects.filter(next_attempt_at=request.mail_at).count() == 1
        instant += gap
    times = sorted(OutgoingEmail.objects.values_list("next_attempt_at", flat=True))
    assert all(later - earlier >= timedelta(days=1) for earlier, later in pairwise(times))


def test_what_has_been_granted_since_and_who_has_left_is_not_listed(
    admin: Membership,
    member: Membership,
    billing_manager: Membership,
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    promoted, gone = member, MembershipFactory(organization=admin.organization)
    services.request_access(actor=promoted, permission=Permission.AUDIT_READ)
    services.request_access(actor=gone, permission=Permission.AUDIT_READ)
    services.request_access(actor=billing_manager, permission=Permission.AUDIT_READ)
    services.change_role(actor=admin, membership_id=promoted.pk, role=Role.ADMIN)
    services.remove_member(actor=admin, membership_id=gone.pk)
    OutgoingEmail.objects.exclude(kind="access_requested").delete()
    deliver_all()
    (mail,) = mailoutbox
    assert billing_manager.user.name in mail.body
    assert promoted.user.name not in mail.body
    assert gone.user.name not in mail.body


def test_a_mail_with_nothing_left_to_list_is_dropped(admin: Membership, member: Membership) -> None:
    services.request_access(actor=member, permission=Permission.AUDIT_READ)
    services.leave(membership=member)
    deliver_all()
    assert OutgoingEmail.objects.get().state == State.DROPPED


def test_who_leaves_does_not_let_a_second_mail_of_the_day_out_nor_anothers_request_down(
    admin: Membership, member: Membership, billing_manager: Membership, at: At
) -> None:
    at(EVENING)
    services.request_access(actor=member, permission=Permission.AUDIT_READ)
    at(EVENING + timedelta(hours=1))
    services.leave(membership=member)
    services.request_access(actor=billing_manager, permission=Permission.AUDIT_READ)
    request = AccessRequest.objects.get()
    assert request.mail_at == EVENING + timedelta(days=1, minutes=10)
    assert OutgoingEmail.objects.filter(next_attempt_at=request.mail_at).exists()


def test_only_who_is_an_admin_then_reads_it(
    admin: Membership,
    member: Membership,
    billing_manager: Membership,
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    former = MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    services.request_access(actor=member, permission=Permission.AUDIT_READ)
    new = MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    services.request_access(actor=billing_manager, permission=Permission.AUDIT_READ)
    Membership.objects.filter(pk=former.pk).update(role=Role.BILLING_MANAGER)
    deliver_all()
    assert sorted(mail.to[0] for mail in mailoutbox) == sorted([admin.user.email, new.user.email])


def test_each_organizations_admins_read_of_their_own(
    admin: Membership, member: Membership, at: At, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    at(EVENING)
    elsewhere = MembershipFactory()
    MembershipFactory(organization=elsewhere.organization, role=Role.ADMIN)
    for person in (member, elsewhere):
        services.request_access(actor=person, permission=Permission.AUDIT_READ)
    deliver_all()
    mine = next(mail for mail in mailoutbox if mail.to == [admin.user.email])
    assert member.user.name in mine.body
    assert elsewhere.user.name not in mine.body
    assert len(mailoutbox) == 2


def test_a_permission_that_the_policy_no_longer_has_holds_up_no_mail(
    admin: Membership, member: Membership, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    for permission in (Permission.AUDIT_READ, Permission.BILLING_VIEW):
        services.request_access(actor=member, permission=permission)
    AccessRequest.objects.filter(permission="billing.view").update(permission="ledgers.read")
    deliver_all()
    assert str(Permission.AUDIT_READ.label) in mailoutbox[0].body


def test_the_refusal_says_when_the_admins_will_know(member: Membership, sign_in: SignIn) -> None:
    page = sign_in(member).get(reverse("audit_log", args=[member.organization.slug])).content.decode()
    assert "The admins get one mail a day that lists what was asked." in page


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rounds", ROUNDS)
def test_people_who_ask_at_once_are_in_one_mail(rounds: int) -> None:
    for _round in range(rounds):
        admin = MembershipFactory(role=Role.ADMIN)
        organization: Organization = admin.organization
        people = [MembershipFactory(organization=organization) for _ in range(2)]
        # Everybody twice.
        outcomes = at_once(
            *(
                lambda person=person: services.request_access(actor=person, permission=Permission.AUDIT_READ)
                for person in [*people, *people]
            )
        )
        assert outcomes == [None] * 4
        requests = AccessRequest.objects.for_org(organization)
        mail = OutgoingEmail.objects.get(organization_id=organization.pk)
        assert [request.mail_at for request in requests] == [mail.next_attempt_at] * 2
        assert AuditEvent.objects.for_org(organization.pk).count() == 2
