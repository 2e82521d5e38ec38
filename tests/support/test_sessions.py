"""Staff have no power until they open a session: it says why, ends within the hour, and is written down."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from orgs.acting import acting
from orgs.errors import Refused
from orgs.policy import Denied, Permission, Role, StaffRole
from support.models import StaffRequest, StaffSession
from support.principals import staff_in
from support.services import end_sessions, open_organization
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory
from tests.support.factories import StaffSessionFactory, staff_member
from tests.world import signed_in, staff_with

pytestmark = pytest.mark.django_db

RECORDS = "/admin/orgs/organization/"
OPEN = "/admin/session/"
WHY = {"ticket": "48213", "reason": "The card is lost"}


@pytest.fixture
def client() -> Client:
    return signed_in(staff_member(StaffRole.SUPPORT))


def test_nothing_is_seen_before_a_session_is_opened_and_all_after(client: Client) -> None:
    answer = client.get(RECORDS + "?q=acme")
    assert (answer.status_code, answer["Location"]) == (
        302,
        "/admin/session/?next=%2Fadmin%2Forgs%2Forganization%2F%3Fq%3Dacme",
    )
    answer = client.post(OPEN, {**WHY, "next": RECORDS + "?q=acme"})
    assert (answer.status_code, answer["Location"]) == (302, RECORDS + "?q=acme")
    assert client.get(RECORDS).status_code == 200


def test_a_session_says_why(client: Client) -> None:
    for wrong in (
        {},
        {**WHY, "ticket": " "},
        {**WHY, "reason": ""},
        {**WHY, "ticket": "<b>"},
        {"ticket": "1"},
    ):
        assert client.post(OPEN, wrong).status_code == 422
    assert not StaffSession.objects.exists()


@pytest.mark.parametrize("elsewhere", ["https://evil.test/admin/", "//evil.test/admin/", "/orgs/", "", "\\"])
def test_it_leads_nowhere_but_into_the_admin(client: Client, elsewhere: str) -> None:
    assert client.post(OPEN, {**WHY, "next": elsewhere})["Location"] == "/admin/"


def test_it_ends_after_an_hour(client: Client) -> None:
    client.post(OPEN, WHY)
    session = StaffSession.objects.get()
    assert session.expires_at - session.opened_at == timedelta(minutes=60)
    an_hour_ago = timezone.now() - timedelta(minutes=61)
    StaffSession.objects.update(opened_at=an_hour_ago, expires_at=an_hour_ago + timedelta(minutes=60))
    assert client.get(RECORDS).status_code == 302
    with pytest.raises(IntegrityError, match="staffsession_an_hour_at_most"), transaction.atomic():
        StaffSession.objects.update(expires_at=timezone.now() + timedelta(minutes=60))


def test_staff_end_it_themselves(client: Client) -> None:
    client.post(OPEN, WHY)
    assert client.get("/admin/session/end/").status_code == 405
    assert client.post("/admin/session/end/").status_code == 302
    assert client.get(RECORDS).status_code == 302


def test_a_new_one_ends_the_one_before(client: Client) -> None:
    client.post(OPEN, WHY)
    client.post(OPEN, {**WHY, "ticket": "2"})
    assert list(StaffSession.objects.open().values_list("ticket", flat=True)) == ["2"]
    opened = AuditEvent.objects.filter(action="staff_session.opened").order_by("id")
    assert [(event.ticket, event.reason) for event in opened] == [
        ("48213", WHY["reason"]),
        ("2", WHY["reason"]),
    ]
    assert AuditEvent.objects.filter(action="staff_session.ended").get().ticket == "48213"


def test_it_opens_nothing_in_another_browser_or_for_another_person(client: Client) -> None:
    client.post(OPEN, WHY)
    session = StaffSession.objects.get()
    assert session.user is not None
    assert signed_in(session.user).get(RECORDS).status_code == 302
    colleague = signed_in(staff_member(StaffRole.SUPPORT))
    stolen = colleague.session
    stolen["staff_session"] = str(session.pk)
    stolen.save()
    assert colleague.get(RECORDS).status_code == 302


def test_who_has_no_role_opens_none_though_they_are_superuser() -> None:
    user = staff_member()
    user.is_superuser = True
    user.save()
    answer = signed_in(user).post(OPEN, WHY)
    assert answer.status_code == 422
    assert "You have no role in support." in answer.content.decode()
    assert not StaffSession.objects.exists()
    assert not AuditEvent.objects.exists()


def test_a_role_that_is_taken_away_ends_at_once() -> None:
    client = staff_with(StaffRole.SUPPORT)
    assert client.get(RECORDS).status_code == 200
    user = StaffSession.objects.get().user
    assert user is not None
    user.groups.clear()
    assert client.get(RECORDS).status_code == 403
    call_command("staff_roles", user.email)
    assert client.get(RECORDS).status_code == 302


def test_each_url_is_written_down_and_the_log_is_never_changed() -> None:
    client = staff_with(StaffRole.SUPPORT)
    client.get(RECORDS, {"q": "acme"})
    client.post("/admin/on-demand/", {"charge": "x"})
    client.get("/admin/no-such-page/")
    secret = "bpp_" + "a" * 36
    client.get(RECORDS, {"q": secret})
    logged = list(StaffRequest.objects.order_by("id").values_list("method", "path"))
    assert logged == [
        ("GET", "/admin/orgs/organization/?q=acme"),
        ("POST", "/admin/on-demand/"),
        ("GET", "/admin/no-such-page/"),
        ("GET", "/admin/orgs/organization/?q=bpp_aaaa"),
    ]
    for change in (StaffRequest.objects.all().delete, lambda: StaffRequest.objects.update(path="/")):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_what_was_sent_without_a_session_is_lost_and_said_to_be(client: Client) -> None:
    answer = client.post("/admin/on-demand/", {"charge": "x"}, follow=True)
    assert "Your staff session had ended, so nothing was done." in answer.content.decode()


def test_an_organization_is_told_once_in_a_session_that_staff_looked() -> None:
    organization = OrganizationFactory()
    session = StaffSessionFactory()
    for _again in range(2):
        open_organization(staff_in(session.pk), organization.pk)
    event = AuditEvent.objects.for_org(organization.pk).get()
    assert (event.actor_name, event.actor_id, event.ticket) == ("Support", session.pk, "48213")
    admin = signed_in(MembershipFactory(organization=organization, role=Role.ADMIN).user)
    page = admin.get(reverse("audit_log", args=[organization.slug])).content.decode()
    assert "Support staff" in page
    assert "Ticket 48213: The customer asked by phone" in page
    assert session.staff_mail not in page
    assert str(session.user) not in page


def test_staff_act_through_the_policy_and_only_while_their_session_is_open() -> None:
    organization = OrganizationFactory()
    session = StaffSessionFactory()
    staff = staff_in(session.pk).within(organization, ticket="1", reason="Asked")
    with acting(staff, Permission.MEMBERS_INVITE) as act:
        assert (act.actor.name, act.actor.id) == ("Support", session.pk)
    with pytest.raises(Denied), acting(staff, Permission.CREDITS_GIVE):
        pass
    assert session.user is not None
    end_sessions(user=session.user)
    with pytest.raises(StaffSession.DoesNotExist), acting(staff, Permission.MEMBERS_INVITE):
        pass


def test_a_session_gives_nothing_without_the_second_factor() -> None:
    client, organization = staff_with(StaffRole.SUPPORT), OrganizationFactory()
    url = reverse("admin:support_organization", args=[organization.pk])
    assert client.get(url).status_code == 200
    Authenticator.objects.all().delete()
    answer = client.get(url, follow=True)
    assert "Support staff need a second factor." in answer.content.decode()
    with pytest.raises(StaffSession.DoesNotExist):
        staff_in(StaffSession.objects.get().pk)


def test_nobody_in_support_acts_for_an_organization_that_they_belong_to() -> None:
    session = StaffSessionFactory()
    organization = MembershipFactory(user=session.user, role=Role.MEMBER).organization
    staff = staff_in(session.pk).within(organization, ticket="1", reason="Asked")
    with (
        pytest.raises(Refused, match="You belong to this organization"),
        acting(staff, Permission.SESSIONS_END),
    ):
        pass


def test_roles_are_given_on_the_machine_alone() -> None:
    user = UserFactory(email="sofia@portal.test")
    call_command("staff_roles", "Sofia@portal.test", "--role", "support", "--role", "billing_support")
    user.refresh_from_db()
    assert user.is_staff
    assert set(user.groups.values_list("name", flat=True)) == {"support", "billing_support"}
    event = AuditEvent.objects.get()
    assert "from none to Billing support, Support" in event.sentence
    with pytest.raises(CommandError, match="Nobody has an account"):
        call_command("staff_roles", "nobody@portal.test")
