"""A person on one page."""

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import reverse

from accounts.models import User
from bench.statements import sent_statements
from orgs.policy import Role, StaffRole
from tests.factories import MembershipFactory, UserFactory
from tests.invitations.factories import InvitationFactory
from tests.support.factories import MailFactory
from tests.world import staff_with

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> Client:
    return staff_with(StaffRole.SUPPORT)


def add_to(person: User, number: int) -> None:
    address = f"mira{number}@home.test"
    EmailAddress.objects.create(user=person, email=address)
    MembershipFactory(user=person, role=Role.BILLING_MANAGER, organization__name=f"Initech {number}")
    UserSession.objects.create(
        user=person,
        ip="192.0.2.7",
        session_key=f"key-of-session-{number}",
        user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    )
    InvitationFactory(email=address, organization__name="Hooli")
    MailFactory(to=address)


def test_it_shows_memberships_sessions_invitations_and_mails_and_no_secret(staff: Client) -> None:
    person = UserFactory(name="Mira Okafor", email="mira@ledger.test")
    MailFactory(to="mira@ledger.test", kind="role_changed", state="sent", sent_at=person.created_at)
    MailFactory(to="other@ledger.test", kind="plan_changed")
    add_to(person, 1)
    page = staff.get(reverse("admin:support_person", args=[person.pk])).content.decode()
    for text in ("Initech 1", "Billing manager", "mira1@home.test", "Firefox 145 on Linux", "192.0.2.7"):
        assert text in page
    assert page.index("Invoice issued") < page.index("Role changed")
    assert "Plan changed" not in page
    assert "key-of-session" not in page
    assert person.password not in page


def test_it_costs_the_same_however_much_there_is(staff: Client) -> None:
    person = UserFactory()
    url = reverse("admin:support_person", args=[person.pk])
    counts = []
    for numbers in (range(1), range(1, 12)):
        for number in numbers:
            add_to(person, number)
        with sent_statements() as statements:
            assert staff.get(url).status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 16


def test_an_unknown_one_is_not_found(staff: Client) -> None:
    assert staff.get("/admin/people/00000000-0000-0000-0000-000000000000/").status_code == 404
