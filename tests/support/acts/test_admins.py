"""An admin is made by two of support staff, after a proof of ownership, and every admin hears of it."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from invitations.models import Invitation
from invitations.services import invite_by_mail
from orgs.errors import Refused
from orgs.models import Membership, Organization
from orgs.policy import Role, StaffRole
from outbox.models import OutgoingEmail
from outbox.registry import renderer_of
from support.acts import ACTS
from support.admin_requests import ask_for_admin, grant_admin, refuse_admin
from support.models import AdminRequest, AdminRequestState, Proof, StaffSession
from support.principals import StaffInOrganization, staff_in
from tests.factories import MembershipFactory
from tests.races import ROUNDS, at_once
from tests.support.acts.pressing import WHY, act, ask, told
from tests.support.factories import StaffSessionFactory
from tests.world import staff_with

pytestmark = pytest.mark.django_db

FORM = {"email": "Lee@Ledger.test", "proof": "register", "reference": "HRB 12345"}
BECAUSE = "(Ticket 48213: Asked by phone)"


@pytest.fixture
def support() -> Client:
    return staff_with(StaffRole.SUPPORT)


@pytest.fixture
def colleague() -> Client:
    return staff_with(StaffRole.SUPPORT)


def somebody(organization: Organization) -> StaffInOrganization:
    """Another of support staff each time."""
    return staff_in(StaffSessionFactory().pk).within(organization, ticket="7", reason="Proven")


def asked(organization: Organization, *, email: str = "lee@ledger.test") -> AdminRequest:
    return ask_for_admin(
        actor=somebody(organization), email=email, proof=Proof.DOMAIN, reference="_portal.ledger.test"
    )


def mails(kind: str) -> list[str]:
    return sorted(OutgoingEmail.objects.filter(kind=kind).values_list("to", flat=True))


def text_of(kind: str) -> str:
    mail = OutgoingEmail.objects.filter(kind=kind).latest("created_at")
    return renderer_of(kind)(mail).text


def test_one_asks_and_another_grants(support: Client, colleague: Client, admin: Membership) -> None:
    act(support, "ask-admin", admin.organization_id, **FORM)
    request = AdminRequest.objects.get()
    assert not Invitation.objects.exists()
    assert mails("admin_asked") == [admin.user.email]
    assert "Ticket: 48213" in text_of("admin_asked")
    assert "If this isn't right, write to" in text_of("admin_asked")
    page = colleague.get("/admin/admin-requests/").content.decode()
    assert "lee@ledger.test" in page
    assert ACTS["grant-admin"].url(request.pk) in page
    assert (
        "Extract of the commercial register, HRB 12345."
        in ask(colleague, "grant-admin", request.pk).content.decode()
    )
    said = act(colleague, "grant-admin", request.pk)
    assert said == f"lee@ledger.test becomes an admin of {admin.organization.name}."
    invitation = Invitation.objects.get()
    assert (invitation.email, invitation.role, invitation.of_no_person) == ("lee@ledger.test", "admin", True)
    assert mails("admin_granted") == [admin.user.email]
    assert told() == [
        "Support staff asked for lee@ledger.test to become an admin, and noted this proof of ownership: "
        f"Extract of the commercial register, HRB 12345 {BECAUSE}",
        f"Support staff granted that lee@ledger.test becomes an admin {BECAUSE}",
        f"Support staff invited lee@ledger.test as Admin {BECAUSE}",
    ]
    assert "Nobody waits." in colleague.get("/admin/admin-requests/").content.decode()


def test_who_belongs_already_becomes_an_admin_at_once(colleague: Client, member: Membership) -> None:
    address = member.user.emailaddress_set.create(email="second@ledger.test", verified=True).email
    act(colleague, "grant-admin", asked(member.organization, email=address).pk)
    member.refresh_from_db()
    assert member.role == Role.ADMIN
    assert mails("role_changed") == [member.user.email]
    assert not Invitation.objects.exists()


def test_an_address_that_a_member_has_not_proven_is_invited(colleague: Client, member: Membership) -> None:
    member.user.emailaddress_set.create(email="lee@ledger.test", verified=False)
    act(colleague, "grant-admin", asked(member.organization).pk)
    member.refresh_from_db()
    assert (member.role, Invitation.objects.get().role) == (Role.MEMBER, Role.ADMIN)


def test_nobody_grants_or_refuses_what_they_asked_for(support: Client, admin: Membership) -> None:
    act(support, "ask-admin", admin.organization_id, **FORM)
    request = AdminRequest.objects.get()
    for name in ("grant-admin", "refuse-admin"):
        assert act(support, name, request.pk) == (
            "You asked for this yourself. A colleague grants or refuses it."
        )
    decided = {
        "state": AdminRequestState.GRANTED,
        "decided_by": request.asked_by,
        "decided_in": request.asked_in,
        "decided_at": timezone.now(),
    }
    with pytest.raises(IntegrityError, match="adminrequest_by_two"), transaction.atomic():
        AdminRequest.objects.update(**decided)
    request.refresh_from_db()
    assert request.state == AdminRequestState.ASKED


def test_nobody_in_support_is_made_an_admin_by_themselves(support: Client, admin: Membership) -> None:
    own = StaffSession.objects.select_related("user").get().user
    assert own is not None
    sentence = "This is your own account. Ask a colleague to do it."
    assert act(support, "ask-admin", admin.organization_id, **{**FORM, "email": own.email}) == sentence
    assert act(support, "grant-admin", asked(admin.organization, email=own.email).pk) == sentence


def test_a_refused_request_stays_refused(colleague: Client, admin: Membership) -> None:
    request = asked(admin.organization)
    act(colleague, "refuse-admin", request.pk)
    assert act(colleague, "grant-admin", request.pk) == (
        "A colleague answered this already. Its state now: Refused."
    )
    assert not Invitation.objects.exists()
    assert told()[-1] == f"Support staff refused that lee@ledger.test becomes an admin {BECAUSE}"


def test_after_a_week_it_has_expired_and_can_be_asked_anew(colleague: Client, admin: Membership) -> None:
    old = asked(admin.organization)
    week_ago = timezone.now() - timedelta(days=7, minutes=1)
    AdminRequest.objects.update(asked_at=week_ago, expires_at=week_ago + timedelta(days=7))
    assert act(colleague, "grant-admin", old.pk) == (
        "Nobody answered this within 7 days, so it has expired. Ask for it again."
    )
    new = asked(admin.organization)
    old.refresh_from_db()
    assert (old.state, new.state) == (AdminRequestState.EXPIRED, AdminRequestState.ASKED)
    with pytest.raises(IntegrityError, match="adminrequest_a_week_at_most"), transaction.atomic():
        AdminRequest.objects.filter(pk=new.pk).update(expires_at=timezone.now() + timedelta(days=8))


def test_what_is_asked_for_already_is_not_asked_twice(support: Client, admin: Membership) -> None:
    asked(admin.organization)
    assert act(support, "ask-admin", admin.organization_id, **FORM).startswith("This is asked for already.")
    form = {**FORM, "email": admin.user.email}
    said = act(support, "ask-admin", admin.organization_id, **form)
    assert said == f"{admin.user.email} is an admin already."


def test_where_a_grant_is_refused_the_request_stays_open(colleague: Client, admin: Membership) -> None:
    request = asked(admin.organization)
    invite_by_mail(actor=admin, email="lee@ledger.test", role=Role.MEMBER)
    assert act(colleague, "grant-admin", request.pk).startswith(
        "An invitation for lee@ledger.test is waiting already."
    )
    request.refresh_from_db()
    assert request.state == AdminRequestState.ASKED
    assert not mails("admin_granted")


def test_no_admin_is_made_of_what_closes(support: Client, colleague: Client, admin: Membership) -> None:
    request = asked(admin.organization)
    Organization.objects.update(closes_after=date(2999, 1, 1))
    for client, name, key in (
        (support, "ask-admin", admin.organization_id),
        (colleague, "grant-admin", request.pk),
    ):
        assert "is closing, so nobody is let in." in act(client, name, key, **FORM)
    act(colleague, "refuse-admin", request.pk)


def test_billing_support_makes_no_admin(admin: Membership) -> None:
    billing_support = staff_with(StaffRole.BILLING_SUPPORT)
    request = asked(admin.organization)
    for name, key in (
        ("ask-admin", admin.organization_id),
        ("grant-admin", request.pk),
        ("refuse-admin", request.pk),
    ):
        assert billing_support.post(ACTS[name].url(key), {**WHY, **FORM}).status_code == 403
    page = billing_support.get("/admin/admin-requests/").content.decode()
    assert "lee@ledger.test" in page
    assert ACTS["grant-admin"].url(request.pk) not in page


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rounds", ROUNDS)
def test_of_two_who_answer_at_once_one_decides(rounds: int) -> None:
    for number in range(rounds):
        admin = MembershipFactory(role=Role.ADMIN)
        request = asked(admin.organization, email=f"lee{number}@ledger.test")
        grants, refuses = somebody(admin.organization), somebody(admin.organization)
        outcomes = at_once(
            lambda by=grants, pk=request.pk: grant_admin(actor=by, request_id=pk),
            lambda by=refuses, pk=request.pk: refuse_admin(actor=by, request_id=pk),
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AdminRequest", "Refused"]
        request.refresh_from_db()
        invited = Invitation.objects.for_org(admin.organization).exists()
        assert invited is (request.state == AdminRequestState.GRANTED)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rounds", ROUNDS)
def test_of_two_who_ask_at_once_one_does(rounds: int) -> None:
    for _round in range(rounds):
        admin = MembershipFactory(role=Role.ADMIN)
        outcomes = at_once(*(lambda: asked(admin.organization) for _ in range(2)))
        assert sum(isinstance(outcome, Refused) for outcome in outcomes) == 1
        assert AdminRequest.objects.for_org(admin.organization).count() == 1
