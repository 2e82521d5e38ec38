"""Who is in, waits, or has another role now: told, with the act that is meant, never guessed."""

from dataclasses import dataclass
from itertools import product

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from invitations.models import Invitation, Kind, State
from invitations.selectors import Way, ways_on
from invitations.services import BelongsAlready
from orgs.capacity import NoRoom
from orgs.models import Membership, Organization
from orgs.policy import Role
from orgs.role_questions import QUESTIONS
from tests.conftest import SignIn
from tests.factories import MembershipFactory, UserFactory
from tests.invitations.claims import by_link, by_mail
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import accept, text
from tests.invitations.test_invitee import opened
from tests.sampling import sampled
from tests.world import signed_in

pytestmark = pytest.mark.django_db

LEE = "lee@ledger.test"
NO_PLACE = NoRoom("", Role.BILLING_MANAGER)


@pytest.fixture
def client(admin: Membership, sign_in: SignIn) -> Client:
    return sign_in(admin)


def invite(client: Client, organization: Organization, email: str, role: Role) -> HttpResponse:
    name = "managers_invite" if role.is_billing_manager else "members_invite"
    return client.post(reverse(name, args=[organization.slug]), {"email": email, "role": role.value})


@pytest.mark.parametrize(("is_now", "invited_as"), sampled(list(product(Role, Role)), every=2))
def test_who_is_in_already_is_led_to_the_question_that_changes_their_role(
    is_now: Role, invited_as: Role, admin: Membership, client: Client
) -> None:
    person = MembershipFactory(organization=admin.organization, role=is_now, user__email=LEE)
    answer = invite(client, admin.organization, LEE, invited_as)
    assert answer.status_code == 422
    assert text(answer).count(f"{LEE} belongs to {admin.organization} already.") == 1
    question = f"{reverse('member_role', args=[admin.organization.slug, person.pk])}?role={invited_as.value}"
    assert (f'href="{question}" data-dialog' in text(answer)) is (is_now is not invited_as)
    if is_now is not invited_as:
        asked = text(client.get(question))
        assert str(QUESTIONS[invited_as]) % {"name": person.user} in asked
    person.refresh_from_db()
    assert person.role == is_now
    assert not Invitation.objects.exists()


def belongs(theirs: Membership) -> BelongsAlready:
    return BelongsAlready(LEE, theirs.organization, theirs)


@pytest.mark.parametrize("role", Role)
def test_who_has_the_very_role_already_is_shown_where_they_are(role: Role, admin: Membership) -> None:
    lee = MembershipFactory(organization=admin.organization, role=role)
    (way,) = ways_on(admin, belongs(lee), role)
    assert way == (see_managers if role.is_billing_manager else see_members)(admin.organization)


def test_who_may_not_change_roles_is_shown_where_the_person_is(admin: Membership, member: Membership) -> None:
    assert ways_on(member, belongs(admin), Role.BILLING_MANAGER) == [see_members(admin.organization)]


def see_members(organization: Organization) -> Way:
    return Way("See members", reverse("members", args=[organization.slug]), asks=False)


def see_managers(organization: Organization) -> Way:
    managers = f"{reverse('billing', args=[organization.slug])}#billing-managers"
    return Way("See billing managers", managers, asks=False)


SENTENCES = {
    "letters": "Use only the letters a to z",
    "waits": "is waiting already",
    "belongs": "belongs to",
    "own": "This is your own address",
}


@dataclass(frozen=True)
class Form:
    """How an address is written, and what it meets; ``told``: "" where it is somebody else's."""

    written: str
    told: str


# An address that waits and one that belongs, in other letter cases and Unicode forms.
FORMS = {
    "the same": Form("{}", "same"),
    "capitals": Form("upper", "same"),
    "spaces around": Form("  {} ", "same"),
    "in angle brackets": Form("Lee <{}>", "same"),
    "full width": Form("ｌｅｅ@ledger.test", "letters"),
    "a look-alike": Form("l\u0435e@ledger.test", "letters"),
    "a decomposed accent": Form("le\u0301e@ledger.test", "letters"),
    "a domain of other letters": Form("lee@l\u00ebdger.test", "letters"),
    "that domain in its ASCII form": Form("lee@xn--ldger-jva.test", ""),
    "a dot more": Form("l.ee@ledger.test", ""),
    "a tag": Form("lee+billing@ledger.test", ""),
}


@pytest.mark.parametrize(("state", "form"), sampled(list(product(["waits", "belongs"], FORMS)), every=3))
def test_one_address_is_one_person_in_whatever_form_it_is_written(
    state: str, form: str, admin: Membership, client: Client
) -> None:
    if state == "waits":
        other = MembershipFactory(organization=admin.organization, role=Role.ADMIN)
        InvitationFactory(organization=admin.organization, inviter=other, email=LEE)
    else:
        MembershipFactory(organization=admin.organization, user__email=LEE)
    case = FORMS[form]
    written = LEE.upper() if case.written == "upper" else case.written.format(LEE)
    before = Invitation.objects.count()
    answer = invite(client, admin.organization, written, Role.BILLING_MANAGER)
    if case.told:
        assert answer.status_code == 422
        assert SENTENCES[state if case.told == "same" else case.told] in text(answer)
        assert Invitation.objects.count() == before
    else:
        assert answer.status_code == 302
        assert Invitation.objects.count() == before + 1


def test_nobody_invites_themselves(admin: Membership, client: Client) -> None:
    answer = invite(client, admin.organization, admin.user.email.upper(), Role.BILLING_MANAGER)
    assert SENTENCES["own"] in text(answer)


# --- No place ------------------------------------------------------------------------------------------


@pytest.fixture
def of_one(admin: Membership) -> Organization:
    Organization.objects.filter(pk=admin.organization_id).update(edition_code="team-growth")
    return admin.organization


@pytest.mark.parametrize("by", ["mail", "link"])
def test_where_the_only_place_is_taken_it_is_freed_in_one_press_or_editions_compared(
    by: str, of_one: Organization, client: Client
) -> None:
    holder = MembershipFactory(organization=of_one, role=Role.BILLING_MANAGER)
    name = "managers_invite" if by == "mail" else "managers_link"
    page = text(client.post(reverse(name, args=[of_one.slug]), {"email": LEE}))
    assert "Team Growth has room for 1 billing manager" in page
    removal = reverse("manager_remove", args=[of_one.slug, holder.pk])
    assert f'href="{removal}" data-dialog>Remove {holder.user.name}</a>' in page
    assert f'href="{reverse("editions", args=[of_one.slug])}"' in page


def test_where_an_invitation_holds_the_only_place_it_is_revoked_in_one_press(
    of_one: Organization, client: Client
) -> None:
    waiting = InvitationFactory(organization=of_one)
    page = text(invite(client, of_one, LEE, Role.BILLING_MANAGER))
    revocation = reverse("invitation_revoke", args=[of_one.slug, waiting.pk])
    assert f'href="{revocation}" data-dialog>Revoke the invitation for {waiting.email}</a>' in page


def test_a_billing_manager_is_offered_only_what_they_may_do(of_one: Organization, sign_in: SignIn) -> None:
    Organization.objects.update(managers_manage_managers=True)
    manager = MembershipFactory(organization=of_one, role=Role.BILLING_MANAGER)
    page = text(invite(sign_in(manager), of_one, LEE, Role.BILLING_MANAGER))
    assert "Compare editions" in page
    assert f"Remove {manager.user.name}" not in page
    assert "/members/" not in page


def test_only_what_waits_and_was_sent_by_a_delegated_manager_is_theirs_to_revoke(
    of_one: Organization,
) -> None:
    Organization.objects.update(managers_manage_managers=True)
    manager = MembershipFactory(organization=of_one, role=Role.BILLING_MANAGER)
    own = InvitationFactory(organization=of_one, inviter=manager)
    InvitationFactory(organization=of_one, inviter=manager, state=State.REVOKED, decided_at=timezone.now())
    InvitationFactory(organization=of_one)
    InvitationFactory(inviter=manager)
    of_one.refresh_from_db()
    manager.organization = of_one
    assert ways_on(manager, NO_PLACE, Role.BILLING_MANAGER) == [
        Way(
            f"Revoke the invitation for {own.email}",
            reverse("invitation_revoke", args=[of_one.slug, own.pk]),
        ),
        compare_editions(of_one),
    ]


def test_who_may_not_remove_a_billing_manager_is_offered_no_removal(of_one: Organization) -> None:
    reader, _other = MembershipFactory.create_batch(2, organization=of_one, role=Role.BILLING_MANAGER)
    assert ways_on(reader, NO_PLACE, Role.BILLING_MANAGER) == [compare_editions(of_one)]


def compare_editions(organization: Organization) -> Way:
    return Way("Compare editions", reverse("editions", args=[organization.slug]), asks=False)


# --- Changed between invitation and acceptance ---------------------------------------------------------


@pytest.mark.parametrize(("kind", "is_now"), sampled(list(product(Kind, Role)), every=2))
def test_who_got_a_role_meanwhile_keeps_it_and_both_sides_read_why(
    is_now: Role, kind: Kind, admin: Membership, client: Client
) -> None:
    address = {"email": LEE} if kind == Kind.MAIL else {}
    invitation = InvitationFactory(organization=admin.organization, inviter=admin, kind=kind, **address)
    person = MembershipFactory(organization=admin.organization, user__email=LEE, role=is_now)
    claim = by_mail(invitation) if kind == Kind.MAIL else by_link(invitation)
    answer = accept(opened(claim, signed_in(person.user)), invitation)
    assert answer.status_code == 409
    assert "a person has one role. Ask an admin there to change your role instead." in text(answer)
    person.refresh_from_db()
    assert person.role == is_now

    page = text(client.get(reverse("billing", args=[admin.organization.slug])))
    assert f"{LEE} could not accept. The person belongs to the organization already." in page
    question = reverse("member_role", args=[admin.organization.slug, person.pk])
    assert (f'href="{question}?role=billing_manager"' in page) is (is_now is not Role.BILLING_MANAGER)


def test_the_inviter_of_a_member_who_may_not_change_roles_is_offered_no_link(
    admin: Membership, billing_manager: Membership, sign_in: SignIn
) -> None:
    Organization.objects.update(managers_manage_managers=True)
    person = MembershipFactory(organization=admin.organization, user__email=LEE)
    InvitationFactory(
        organization=admin.organization,
        inviter=billing_manager,
        email=LEE,
        last_error="already_in",
        last_error_by=LEE,
        last_error_at=timezone.now(),
    )
    page = text(sign_in(billing_manager).get(reverse("billing", args=[admin.organization.slug])))
    assert LEE in page
    assert str(person.pk) not in page


def test_an_inviter_who_lost_the_right_is_told_to_the_invited(admin: Membership) -> None:
    inviter = MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    invitation = InvitationFactory(organization=admin.organization, inviter=inviter)
    client = opened(by_mail(invitation), signed_in(UserFactory(email=invitation.email)))
    Membership.objects.filter(pk=inviter.pk).update(role=Role.MEMBER)
    assert "The person who invited you may no longer do so." in text(accept(client, invitation))
