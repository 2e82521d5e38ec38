"""Support does for an organization what its admins could, but makes no admin alone."""

from datetime import date, timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from invitations import services
from invitations.models import Invitation, Kind, State
from orgs.models import Membership, Organization
from orgs.policy import Role, StaffRole
from outbox.models import OutgoingEmail
from outbox.registry import renderer_of
from support.acts import ACTS
from support.models import StaffSession
from tests.factories import MembershipFactory, OrganizationFactory
from tests.invitations.claims import by_mail
from tests.invitations.factories import InvitationFactory
from tests.support.acts.pressing import WHY, act, ask, told
from tests.world import signed_in, staff_with

pytestmark = pytest.mark.django_db

BECAUSE = "(Ticket 48213: Asked by phone)"


@pytest.fixture
def support() -> Client:
    return staff_with(StaffRole.SUPPORT)


def staff_member() -> User:
    return StaffSession.objects.select_related("user").get().user  # type: ignore[return-value]


def mails() -> list[str]:
    return sorted(OutgoingEmail.objects.values_list("kind", flat=True))


@pytest.mark.parametrize("role", [Role.MEMBER, Role.BILLING_MANAGER, Role.BILLING_VIEWER])
def test_support_invites_in_its_own_name(support: Client, role: Role, admin: Membership) -> None:
    said = act(support, "invite", admin.organization_id, email="Lee@Ledger.test", role=role.value)
    assert said == "Invitation sent to lee@ledger.test."
    invitation = Invitation.objects.get()
    assert (invitation.role, invitation.invited_by, invitation.of_no_person) == (role, None, True)
    mail = OutgoingEmail.objects.get()
    assert "Support" in renderer_of(mail.kind)(mail).text
    assert told() == [f"Support staff invited lee@ledger.test as {role.label} {BECAUSE}"]


def test_who_is_invited_by_support_joins(support: Client, admin: Membership) -> None:
    act(support, "invite", admin.organization_id, email="lee@ledger.test", role="member")
    lee = MembershipFactory(user__email="lee@ledger.test").user
    services.accept(user=lee, claim=by_mail(Invitation.objects.get()))
    assert Membership.objects.for_org(admin.organization).filter(user=lee, role=Role.MEMBER).exists()


def test_support_alone_makes_no_admin(support: Client, admin: Membership, member: Membership) -> None:
    for name, key in (("invite", admin.organization_id), ("change-role", member.pk)):
        fields = {**WHY, "shown": "member", "email": "lee@ledger.test", "role": "admin"}
        answer = support.post(ACTS[name].url(key), fields)
        assert answer.status_code == 422
        assert "Nobody in support makes an admin alone." in answer.content.decode()
    assert not Invitation.objects.exists()
    member.refresh_from_db()
    assert member.role == Role.MEMBER


def test_an_ended_invitation_of_an_admin_is_not_made_anew_by_support_alone(support: Client) -> None:
    ended = InvitationFactory(role=Role.ADMIN, email="lee@ledger.test")
    services.revoke(actor=Membership.objects.get(user=ended.invited_by), invitation_id=ended.pk)
    Invitation.objects.update(asked_for="lee@ledger.test", asked_at=timezone.now())
    assert act(support, "resend-invitation", ended.pk).startswith("Nobody in support makes an admin alone.")
    assert not Invitation.objects.pending().exists()


def test_what_two_of_support_agreed_on_and_has_expired_is_not_renewed_by_one(support: Client) -> None:
    expired = InvitationFactory(
        role=Role.ADMIN,
        invited_by=None,
        of_no_person=True,
        organization__invitation_max_age_days=7,
        sent_at=timezone.now() - timedelta(days=8),
    )
    assert act(support, "resend-invitation", expired.pk).startswith("Nobody in support makes an admin alone.")
    expired.refresh_from_db()
    assert expired.generation == 1


def test_who_is_removed_while_the_form_is_sent_is_said_to_be_gone(support: Client, admin: Membership) -> None:
    member = MembershipFactory(organization=admin.organization)

    def race(execute: Any, sql: str, *rest: Any) -> Any:
        """A colleague is quicker, right before the verb locks the organization."""
        if 'FROM "orgs_organization"' in sql and " FOR " in sql:
            Membership.objects.filter(pk=member.pk).delete()
        return execute(sql, *rest)

    with connection.execute_wrapper(race):
        said = act(support, "remove-person", member.pk, shown=member.role)
    assert said == "Somebody removed this meanwhile. Nothing was done."
    assert told() == []


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"email": "nobody"}, "Enter one email address, such as lee@example.com."),
        ({"role": ""}, "Choose a role."),
        ({"role": "owner"}, "Nobody in support makes an admin alone."),
        ({"ticket": ""}, "This field is required."),
        ({"reason": " "}, "This field is required."),
    ],
)
def test_a_wrong_form_is_shown_again(
    support: Client, admin: Membership, fields: dict[str, str], sentence: str
) -> None:
    form = {**WHY, "email": "lee@ledger.test", "role": "member", **fields}
    answer = support.post(ACTS["invite"].url(admin.organization_id), form)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Invitation.objects.exists()


def test_a_seat_that_is_not_there_is_given_to_nobody(support: Client, admin: Membership) -> None:
    Organization.objects.update(edition_code="team-growth", seats=1)
    InvitationFactory(organization=admin.organization)
    said = act(support, "invite", admin.organization_id, email="lee@ledger.test", role="billing_manager")
    assert said.startswith("Team Growth has room for 1 billing manager")
    assert Invitation.objects.count() == 1


def test_support_sends_again_for_whoever_invited(support: Client) -> None:
    """It stands on the inviter's right as before, and so does the new link."""
    invitation = InvitationFactory(sent_at=timezone.now() - timedelta(days=2))
    said = act(support, "resend-invitation", invitation.pk)
    assert said == f"Invitation sent to {invitation.email} again. The earlier link no longer works."
    again = Invitation.objects.get()
    assert (again.generation, again.invited_by, again.of_no_person) == (2, invitation.invited_by, False)
    mail = OutgoingEmail.objects.get()
    assert invitation.invited_by_name in renderer_of(mail.kind)(mail).subject
    assert told() == [
        f"Support staff sent the invitation for {invitation.email} as Billing manager again {BECAUSE}"
    ]


def test_pressed_twice_it_is_sent_once(support: Client) -> None:
    invitation = InvitationFactory(sent_at=timezone.now() - timedelta(days=2))
    act(support, "resend-invitation", invitation.pk, shown="1")
    assert act(support, "resend-invitation", invitation.pk, shown="1").startswith(
        "This invitation was sent again since you opened this."
    )
    assert OutgoingEmail.objects.count() == 1


def test_a_link_is_not_sent(support: Client) -> None:
    link = InvitationFactory(kind=Kind.LINK)
    assert act(support, "resend-invitation", link.pk).startswith("An invite link isn't sent by mail.")


def test_support_revokes(support: Client) -> None:
    invitation = InvitationFactory()
    assert act(support, "revoke-invitation", invitation.pk).startswith("The invitation is revoked.")
    invitation.refresh_from_db()
    assert invitation.state == State.REVOKED
    assert mails() == ["invitation_revoked"]


def test_support_removes_a_person_and_says_what_ends(support: Client, admin: Membership) -> None:
    person = MembershipFactory(organization=admin.organization, role=Role.BILLING_MANAGER, user__name="Lee")
    InvitationFactory(organization=admin.organization, inviter=person)
    assert (
        "What is theirs here ends too: 1 pending invitation."
        in ask(support, "remove-person", person.pk).content.decode()
    )
    said = act(support, "remove-person", person.pk)
    assert said == (
        f"Lee is removed from {admin.organization.name}. What was theirs here has ended too: "
        "1 pending invitation."
    )
    assert not Membership.objects.filter(pk=person.pk).exists()
    assert "membership_removed" in mails()
    mail = OutgoingEmail.objects.get(kind="membership_removed")
    assert "Support removed you from" in renderer_of(mail.kind)(mail).text


def test_the_last_admin_stays(support: Client, admin: Membership) -> None:
    sentence = "An organization needs an admin. Make somebody else an admin first."
    assert act(support, "remove-person", admin.pk) == sentence
    assert act(support, "change-role", admin.pk, role="member", shown="admin") == sentence


def test_support_changes_a_role_after_reading_what_it_means(support: Client, member: Membership) -> None:
    page = ask(support, "change-role", member.pk).content.decode()
    assert "Billing manager: they will be able to: see billing, payments and invoices" in page
    assert "Billing manager: they will no longer be able to: see what each role may do, see the" in page
    said = act(support, "change-role", member.pk, role="billing_manager")
    assert said == f"{member.user} is billing manager of {member.organization} now."
    mail = OutgoingEmail.objects.get()
    assert "Support changed your role in" in renderer_of(mail.kind)(mail).text
    (event,) = told()
    assert (
        event == f"Support staff changed the role of {member.user} from Member to Billing manager {BECAUSE}"
    )


def test_of_what_the_page_did_not_show_nothing_is_done(support: Client, member: Membership) -> None:
    for name in ("change-role", "remove-person"):
        said = act(support, name, member.pk, role="billing_manager", shown="admin")
        assert said.startswith(f"The role of {member.user} has changed since you opened this.")
    member.refresh_from_db()
    assert not told()


def test_support_signs_a_person_out_everywhere(support: Client, member: Membership) -> None:
    theirs, other = (signed_in(user) for user in (member.user, MembershipFactory().user))
    for client in (theirs, other):
        UserSession.objects.create(
            user_id=client.session["_auth_user_id"], session_key=client.session.session_key, ip="::1"
        )
    assert act(support, "sign-out", member.pk) == f"{member.user} is signed out everywhere."
    assert theirs.get("/orgs/").status_code == 302
    assert other.get("/orgs/").status_code == 200
    mail = OutgoingEmail.objects.get()
    assert (mail.kind, mail.to) == ("signed_out", member.user.email)
    assert "Support signed you out in every browser." in renderer_of(mail.kind)(mail).text
    assert told() == [f"Support staff signed {member.user} out everywhere {BECAUSE}"]


def test_staff_do_nothing_for_themselves(support: Client, admin: Membership) -> None:
    staff = staff_member()
    own = MembershipFactory(organization=admin.organization, user=staff)
    address = staff.emailaddress_set.create(email="second@portal.test", verified=True).email
    invitation = InvitationFactory(organization=admin.organization, email=address)
    sentence = "This is your own account. Ask a colleague to do it."
    for name in ("remove-person", "change-role", "sign-out"):
        assert act(support, name, own.pk, role="billing_manager") == sentence
    assert act(support, "resend-invitation", invitation.pk) == sentence
    assert act(support, "invite", OrganizationFactory().pk, email=address, role="member") == sentence
    assert not told()


ACTS_ON = [
    ("invite", "organization"),
    ("resend-invitation", "invitation"),
    ("revoke-invitation", "invitation"),
    ("remove-person", "member"),
    ("change-role", "member"),
    ("sign-out", "member"),
]


@pytest.fixture
def keys(admin: Membership, member: Membership) -> dict[str, object]:
    invitation = InvitationFactory(
        organization=admin.organization, inviter=admin, sent_at=timezone.now() - timedelta(days=2)
    )
    return {"organization": admin.organization_id, "invitation": invitation.pk, "member": member.pk}


FORM = {**WHY, "shown": "1", "email": "lee@ledger.test", "role": "billing_manager"}


@pytest.mark.parametrize(("name", "on"), ACTS_ON)
def test_billing_support_may_not(name: str, on: str, keys: dict[str, object]) -> None:
    billing_support = staff_with(StaffRole.BILLING_SUPPORT)
    assert ask(billing_support, name, keys[on]).status_code == 403
    assert billing_support.post(ACTS[name].url(keys[on]), FORM).status_code == 403
    assert not told()


@pytest.mark.parametrize(("name", "on"), ACTS_ON)
def test_what_is_not_there_is_not_found(name: str, on: str, support: Client) -> None:
    for key in ("x", "0b5aa2d1-6f4e-4a3e-9a52-2f4c1b9b8a11"):
        assert ask(support, name, key).status_code == 404


@pytest.mark.parametrize("name", ["invite", "change-role"])
def test_a_closing_organization_lets_nobody_in(name: str, support: Client, keys: dict[str, object]) -> None:
    Organization.objects.update(closes_after=date(2999, 1, 1))
    key = keys[dict(ACTS_ON)[name]]
    said = act(support, name, key, email="lee@ledger.test", role="billing_manager")
    assert said.endswith("is closing, so nobody is let in. An admin can undo the closing first.")
    assert not told()


def test_from_a_closing_organization_people_are_removed_all_the_same(
    support: Client, keys: dict[str, object]
) -> None:
    Organization.objects.update(closes_after=date(2999, 1, 1))
    act(support, "remove-person", keys["member"])
    act(support, "sign-out", MembershipFactory(organization_id=keys["organization"]).pk)
    assert AuditEvent.objects.filter(action__in=["membership.removed", "sessions.ended"]).count() == 2


def test_once_the_session_has_ended_nothing_is_done(
    support: Client, keys: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it ends after the request has begun."""
    find = ACTS["sign-out"].find

    def find_and_end(key: str) -> object:
        StaffSession.objects.update(ended_at=timezone.now())
        return find(key)

    monkeypatch.setattr(ACTS["sign-out"], "find", find_and_end)
    answer = support.post(ACTS["sign-out"].url(keys["member"]), FORM)
    assert answer["Location"].startswith("/admin/session/")
    assert not told()
