"""People ask for access; the admins get one mail a day that lists what was asked, and nothing is lost."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.core.mail import EmailMultiAlternatives
from django.db.models import F
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from invitations.selectors.access_requests import open_requests
from orgs import services
from orgs.access_requests import request_access
from orgs.models import AccessRequest, Membership, Organization
from orgs.policy import OF_PEOPLE, Permission, Role, may
from outbox.delivery import deliver_due
from outbox.models import OutgoingEmail, State
from tests.conftest import SignIn
from tests.factories import MembershipFactory, OrganizationFactory
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
    return [
        permission for permission in Permission if permission in OF_PEOPLE and not may(membership, permission)
    ]


@pytest.mark.slow
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
    request_access(actor=member, permission=Permission.AUDIT_READ)
    assert OutgoingEmail.objects.get().next_attempt_at == EVENING + timedelta(minutes=10)


def test_a_mail_that_waits_is_not_sent_before_its_time(admin: Membership, member: Membership) -> None:
    request_access(actor=member, permission=Permission.AUDIT_READ)
    assert deliver_due() == 0
    assert OutgoingEmail.objects.get().state == State.QUEUED


def test_later_requests_are_in_the_next_days_mail_though_nobody_asks_then(
    admin: Membership, member: Membership, at: At, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    at(EVENING)
    request_access(actor=member, permission=Permission.AUDIT_READ)
    at(EVENING + timedelta(minutes=9, seconds=30))
    request_access(actor=member, permission=Permission.BILLING_VIEW)
    at(EVENING + timedelta(hours=5))
    request_access(actor=member, permission=Permission.MEMBERS_INVITE)
    request_access(actor=member, permission=Permission.AUDIT_READ)
    times = OutgoingEmail.objects.order_by("next_attempt_at").values_list("next_attempt_at", flat=True)
    first = EVENING + timedelta(minutes=10)
    assert list(times) == [first, first + timedelta(days=1)]
    listed = {request.permission: request.mail_at for request in AccessRequest.objects.order_by("permission")}
    # What comes in the last minute may be committed after the mail was written.
    assert listed == dict.fromkeys(
        ["audit.read", "billing.view", "members.invite"], first + timedelta(days=1)
    )
    at(first + timedelta(days=3))
    request_access(actor=member, permission=Permission.BILLING_VIEW)
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
        request_access(actor=member, permission=permission)
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
    request_access(actor=promoted, permission=Permission.AUDIT_READ)
    request_access(actor=gone, permission=Permission.AUDIT_READ)
    request_access(actor=billing_manager, permission=Permission.AUDIT_READ)
    services.change_role(actor=admin, membership_id=promoted.pk, role=Role.ADMIN)
    services.remove_member(actor=admin, membership_id=gone.pk)
    OutgoingEmail.objects.exclude(kind="access_requested").delete()
    deliver_all()
    (mail,) = mailoutbox
    assert billing_manager.user.name in mail.body
    assert promoted.user.name not in mail.body
    assert gone.user.name not in mail.body


def test_a_mail_with_nothing_left_to_list_is_dropped(admin: Membership, member: Membership) -> None:
    request_access(actor=member, permission=Permission.AUDIT_READ)
    services.leave(membership=member)
    deliver_all()
    assert OutgoingEmail.objects.get().state == State.DROPPED


def test_who_leaves_does_not_let_a_second_mail_of_the_day_out_nor_anothers_request_down(
    admin: Membership, member: Membership, billing_manager: Membership, at: At
) -> None:
    at(EVENING)
    request_access(actor=member, permission=Permission.AUDIT_READ)
    at(EVENING + timedelta(hours=1))
    services.leave(membership=member)
    request_access(actor=billing_manager, permission=Permission.AUDIT_READ)
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
    request_access(actor=member, permission=Permission.AUDIT_READ)
    new = MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    request_access(actor=billing_manager, permission=Permission.AUDIT_READ)
    Membership.objects.filter(pk=former.pk).update(role=Role.BILLING_MANAGER)
    deliver_all()
    assert sorted(mail.to[0] for mail in mailoutbox) == sorted([admin.user.email, new.user.email])


def test_the_page_shows_the_first_fifty_requests(admin: Membership) -> None:
    people = MembershipFactory.create_batch(17, organization=admin.organization)
    wished = (Permission.AUDIT_READ, Permission.BILLING_VIEW, Permission.MEMBERS_INVITE)
    AccessRequest.objects.bulk_create(
        AccessRequest(membership=person, permission=one.value, asked_at=EVENING, mail_at=EVENING)
        for person in people
        for one in wished
    )
    assert len(open_requests(admin)) == 50


def test_each_organizations_admins_read_of_their_own(
    admin: Membership, member: Membership, at: At, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    at(EVENING)
    elsewhere = MembershipFactory()
    MembershipFactory(organization=elsewhere.organization, role=Role.ADMIN)
    for person in (member, elsewhere):
        request_access(actor=person, permission=Permission.AUDIT_READ)
    deliver_all()
    mine = next(mail for mail in mailoutbox if mail.to == [admin.user.email])
    assert member.user.name in mine.body
    assert elsewhere.user.name not in mine.body
    assert len(mailoutbox) == 2


def test_a_permission_that_the_policy_no_longer_has_holds_up_no_mail(
    admin: Membership, member: Membership, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    for permission in (Permission.AUDIT_READ, Permission.BILLING_VIEW):
        request_access(actor=member, permission=permission)
    AccessRequest.objects.filter(permission="billing.view").update(permission="ledgers.read")
    deliver_all()
    assert str(Permission.AUDIT_READ.label) in mailoutbox[0].body


def test_the_refusal_says_when_the_admins_will_know(member: Membership, sign_in: SignIn) -> None:
    page = sign_in(member).get(reverse("audit_log", args=[member.organization.slug])).content.decode()
    assert "The admins get one mail a day that lists what was asked." in page


@pytest.mark.slow
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
                lambda person=person: request_access(actor=person, permission=Permission.AUDIT_READ)
                for person in [*people, *people]
            )
        )
        assert outcomes == [None] * 4
        requests = AccessRequest.objects.for_org(organization)
        mail = OutgoingEmail.objects.get(organization_id=organization.pk)
        assert [request.mail_at for request in requests] == [mail.next_attempt_at] * 2
        assert AuditEvent.objects.for_org(organization.pk).count() == 2


def members_page(admin: Membership, sign_in: SignIn) -> str:
    return sign_in(admin).get(reverse("members", args=[admin.organization.slug])).content.decode()


def granting_form(page: str) -> tuple[str, dict[str, str]]:
    """Where the button that grants leads, and what it sends."""
    form = re.search(r'<form method="post"\s+action="([^"]*/role/)">(.*?)</form>', page, re.DOTALL)
    assert form is not None
    return form[1], dict(re.findall(r'name="(role|shown_role)" type="hidden" value="([^"]*)"', form[2]))


def test_one_press_grants_by_the_least_role_that_gives_it_and_the_mail_says_so(
    admin: Membership, member: Membership, sign_in: SignIn, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    request_access(actor=member, permission=Permission.BILLING_CARD_UPDATE)
    page = members_page(admin, sign_in)
    assert f"Make {member.user.name} billing manager" in page
    sign_in(admin).post(*granting_form(page))
    member.refresh_from_db()
    assert member.role == Role.BILLING_MANAGER
    assert not AccessRequest.objects.exists()
    deliver_all()
    (mail,) = (mail for mail in mailoutbox if mail.to == [member.user.email])
    assert "You asked to be allowed to do this, and now you may:" in mail.body
    assert str(Permission.BILLING_CARD_UPDATE.label) in mail.body


def test_one_press_refuses_and_the_person_is_told(
    admin: Membership, member: Membership, sign_in: SignIn, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    request_access(actor=member, permission=Permission.AUDIT_READ)
    refuse = reverse("access_refuse", args=[admin.organization.slug, member.pk])
    assert refuse in members_page(admin, sign_in)
    answer = {"permission": "audit.read"}
    first, second = (sign_in(admin).post(refuse, answer, follow=True).content.decode() for _ in range(2))
    assert f"{member.user.name} gets a mail that says so." in first
    assert "This request was answered already." in second
    assert "Access requests" not in second
    deliver_all()
    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == (
        [member.user.email],
        f"Your request in {admin.organization.name} was refused",
    )
    # They may ask again.
    request_access(actor=member, permission=Permission.AUDIT_READ)
    assert AccessRequest.objects.count() == 1


def test_a_request_ends_when_it_is_granted_by_another_way(
    admin: Membership,
    billing_manager: Membership,
    sign_in: SignIn,
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    for permission in (Permission.BILLING_MANAGERS_INVITE, Permission.AUDIT_READ):
        request_access(actor=billing_manager, permission=permission)
    services.change_settings(actor=admin, changes={"managers_manage_managers": services.Change(False, True)})
    assert AccessRequest.objects.get().permission == Permission.AUDIT_READ
    OutgoingEmail.objects.filter(kind="access_requested").delete()
    deliver_all()
    (mail,) = mailoutbox
    assert mail.to == [billing_manager.user.email]
    assert "was granted" in mail.subject


def test_only_admins_see_the_requests(admin: Membership, member: Membership, sign_in: SignIn) -> None:
    request_access(actor=member, permission=Permission.AUDIT_READ)
    assert "Access requests" in members_page(admin, sign_in)
    assert "Access requests" not in members_page(member, sign_in)


def test_what_a_setting_gives_by_now_is_no_request(admin: Membership, billing_manager: Membership) -> None:
    request_access(actor=billing_manager, permission=Permission.BILLING_MANAGERS_INVITE)
    assert [one.permission for one in open_requests(admin)] == [Permission.BILLING_MANAGERS_INVITE]
    assert open_requests(billing_manager) == []
    admin.organization.managers_manage_managers = True
    assert open_requests(admin) == []


@pytest.mark.slow
@pytest.mark.parametrize("delegated", [False, True])
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_the_role_that_a_press_gives_grants_what_was_asked(role: Role, delegated: bool) -> None:
    organization = OrganizationFactory(managers_manage_managers=delegated)
    admin, person = (MembershipFactory(organization=organization, role=one) for one in (Role.ADMIN, role))
    for permission in lacked_by(person):
        request_access(actor=person, permission=permission)
    requests = open_requests(admin)
    assert len(requests) == len(lacked_by(person))
    for request in requests:
        given = Membership(role=request.gives, organization=organization)
        assert may(given, request.permission)
        assert request.gives is not role


def test_the_refusal_names_the_admins_to_those_who_see_the_members(
    admin: Membership, member: Membership, billing_manager: Membership, sign_in: SignIn
) -> None:
    def page(reader: Membership) -> str:
        answer = sign_in(reader).get(reverse("audit_log", args=[reader.organization.slug]))
        assert answer.status_code == 403
        return answer.content.decode()

    assert admin.user.name in page(member)
    assert admin.user.name not in page(billing_manager)
