"""Removing people and pending invitations, one or many: the question, all or nothing, and what ended.

Mutants without ``select_related`` are the same program here and in the views: they take a statement more.
"""

import re
import uuid
from datetime import timedelta
from functools import partial

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from hooks.models import Endpoint
from hooks.services import make_endpoint, remove_endpoint
from invitations.models import Invitation, State
from orgs.models import Membership, Organization
from orgs.policy import Permission, Role
from outbox.models import OutgoingEmail
from tests.conftest import SignIn
from tests.factories import MembershipFactory, OrganizationFactory
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import text
from tests.races import at_once
from tokens.services import make_token

pytestmark = pytest.mark.django_db
Data = dict[str, list[str]]


def url(organization: Organization) -> str:
    return reverse("people_remove", args=[organization.slug])


def ask(client: Client, organization: Organization, *chosen: Membership | Invitation) -> HttpResponse:
    query: Data = {"list": ["member"], "person": [], "invitation": []}
    for one in chosen:
        query["person" if isinstance(one, Membership) else "invitation"].append(str(one.pk))
    return client.get(url(organization), query)


def form_of(question: HttpResponse) -> Data:
    """What the question's button sends."""
    data: Data = {}
    for name, value in re.findall(r'<input name="(\w+)"\s+type="hidden"\s+value="([^"]*)"', text(question)):
        data.setdefault(name, []).append(value)
    return data


def left(*chosen: Membership | Invitation) -> list[bool]:
    """Which of them still stand."""
    return [
        Membership.objects.filter(pk=one.pk).exists()
        if isinstance(one, Membership)
        else Invitation.objects.get(pk=one.pk).state == State.PENDING
        for one in chosen
    ]


@pytest.fixture
def chosen(
    admin: Membership, member: Membership, billing_manager: Membership
) -> list[Membership | Invitation]:
    """A member, a billing manager, and an invitation of an admin."""
    return [member, billing_manager, InvitationFactory(organization=admin.organization, inviter=admin)]


def test_many_are_asked_about_and_removed_together(
    admin: Membership, sign_in: SignIn, chosen: list[Membership | Invitation]
) -> None:
    client = sign_in(admin)
    InvitationFactory(organization=admin.organization, inviter=chosen[1])
    question = ask(client, admin.organization, *chosen)
    parts = ("Remove 3 from", chosen[0].user.name, chosen[1].user.name, chosen[2].email)
    for part in (*parts, "1 pending invitation"):
        assert part in text(question)
    assert left(*chosen) == [True, True, True]
    done = client.post(url(admin.organization), form_of(question), follow=True)
    assert "2 were removed:" in text(done)
    assert f"The invitation for {chosen[2].email} was revoked." in text(done)
    assert "1 pending invitation" in text(done)
    assert left(*chosen) == [False, False, False]
    told = sorted(AuditEvent.objects.filter(actor_id=admin.user_id).values_list("action", flat=True))
    assert told == ["invitation.revoked", "membership.removed", "membership.removed"]
    kinds = sorted(OutgoingEmail.objects.values_list("kind", flat=True))
    assert kinds == ["invitation_revoked"] * 2 + ["membership_removed"] * 2


def test_one_is_asked_about_by_name(
    admin: Membership, sign_in: SignIn, chosen: list[Membership | Invitation]
) -> None:
    client = sign_in(admin)
    assert f"Remove {chosen[0].user.name} from" in text(ask(client, admin.organization, chosen[0]))
    question = ask(client, admin.organization, chosen[2])
    assert "Revoke this invitation to" in text(question)
    done = text(client.post(url(admin.organization), form_of(question), follow=True))
    assert f"The invitation for {chosen[2].email} was revoked." in done
    assert "was removed" not in done


def change_role(chosen: list[Membership | Invitation]) -> None:
    Membership.objects.filter(pk=chosen[1].pk).update(role=Role.ADMIN)


def send_again(chosen: list[Membership | Invitation]) -> None:
    Invitation.objects.filter(pk=chosen[2].pk).update(generation=2)


def declined(chosen: list[Membership | Invitation]) -> None:
    Invitation.objects.filter(pk=chosen[2].pk).update(state=State.DECLINED, decided_at=timezone.now())


def gone(chosen: list[Membership | Invitation]) -> None:
    Membership.objects.filter(pk=chosen[1].pk).delete()


@pytest.mark.parametrize("change", [change_role, send_again, declined, gone])
def test_when_one_of_them_changed_meanwhile_none_is_removed(
    change: object, admin: Membership, sign_in: SignIn, chosen: list[Membership | Invitation]
) -> None:
    client = sign_in(admin)
    form = form_of(ask(client, admin.organization, *chosen))
    assert callable(change)
    change(chosen)
    before = left(*chosen)
    done = client.post(url(admin.organization), form, follow=True)
    assert "Somebody else changed one of these meanwhile. Nobody was removed." in text(done)
    assert left(*chosen) == before
    assert before[0]
    assert not OutgoingEmail.objects.exists()


def test_a_form_that_does_not_say_what_it_showed_removes_nobody(
    admin: Membership, sign_in: SignIn, chosen: list[Membership | Invitation]
) -> None:
    client = sign_in(admin)
    for wrong in ("", "~", "~owner", "~99999999999"):
        for name, one in (("person", chosen[0]), ("invitation", chosen[2])):
            client.post(url(admin.organization), {name: f"{one.pk}{wrong}"})
    assert left(*chosen) == [True, True, True]


@pytest.mark.parametrize("htmx", [False, True])
def test_without_a_choice_the_page_says_what_to_do(htmx: bool, admin: Membership, sign_in: SignIn) -> None:
    client = sign_in(admin)
    answer = client.get(url(admin.organization), headers={"HX-Request": "true"} if htmx else {})
    members = reverse("members", args=[admin.organization.slug])
    assert answer.headers["HX-Redirect" if htmx else "Location"] == members
    assert "Choose first whom to remove." in text(client.get(members))


def test_of_another_organization_nothing_is_found(admin: Membership, sign_in: SignIn) -> None:
    theirs = [MembershipFactory(), InvitationFactory()]
    client = sign_in(admin)
    assert ask(client, admin.organization, *theirs).status_code == 302
    client.post(
        url(admin.organization), {"person": f"{theirs[0].pk}~member", "invitation": f"{theirs[1].pk}~1"}
    )
    assert left(*theirs) == [True, True]


def test_a_delegated_billing_manager_removes_their_kind_alone_and_learns_of_no_other(
    admin: Membership, member: Membership, billing_manager: Membership, sign_in: SignIn
) -> None:
    Organization.objects.update(managers_manage_managers=True)
    other = MembershipFactory(organization=admin.organization, role=Role.BILLING_MANAGER)
    client = sign_in(billing_manager)
    question = ask(client, admin.organization, other, member)
    assert other.user.name in text(question)
    assert member.user.name not in text(question)
    both = {"person": [f"{other.pk}~billing_manager", f"{member.pk}~member"]}
    assert client.post(url(admin.organization), both).status_code == 403
    assert left(other, member) == [True, True]
    client.post(url(admin.organization), form_of(question))
    assert left(other, member) == [False, True]


def test_nobody_removes_themselves_here(admin: Membership, member: Membership, sign_in: SignIn) -> None:
    MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    people = {"person": [f"{member.pk}~member", f"{admin.pk}~admin"]}
    done = sign_in(admin).post(url(admin.organization), people, follow=True)
    assert "remove yourself" in text(done)
    assert left(admin, member) == [True, True]


@pytest.mark.parametrize("way", ["leave", "member_remove", "people_remove"])
def test_the_question_and_the_page_after_it_say_what_ends(
    way: str, admin: Membership, sign_in: SignIn
) -> None:
    person = MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    InvitationFactory(organization=admin.organization, inviter=person)
    client = sign_in(person if way == "leave" else admin)
    ids = [person.pk] if way == "member_remove" else []
    path = reverse(way, args=[admin.organization.slug, *ids])
    shown = {"shown_role": "admin", "person": f"{person.pk}~admin"}
    assert "1 pending invitation" in text(client.get(path, {"person": person.pk}))
    done = client.post(path, shown, follow=True)
    assert "1 pending invitation" in text(done)
    assert left(person) == [False]


def test_the_question_names_what_goes_on_with_a_secret_that_they_know(
    admin: Membership, sign_in: SignIn
) -> None:
    person = MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    goes_on = ("2 access tokens of the organization", "1 webhook<")
    for maker in (person, person, admin):
        make_token(
            actor=maker,
            key=uuid.uuid4(),
            name="CI",
            scopes=[Permission.MEMBERS_LIST],
            expires_at=timezone.now() + timedelta(days=9),
            of_organization=True,
        )
        make_endpoint(
            actor=maker, key=uuid.uuid4(), url="https://hooks.ledger.test/", events=["invoice.paid"]
        )
    remove_endpoint(actor=admin, endpoint_id=Endpoint.objects.earliest("created_at").pk)
    client = sign_in(admin)
    one = client.get(reverse("member_remove", args=[admin.organization.slug, person.pk]))
    for question in (one, ask(client, admin.organization, person)):
        for item in goes_on:
            assert item in text(question)
    other = MembershipFactory(organization=admin.organization)
    assert "may know its secret" not in text(ask(client, admin.organization, other))


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "htmx"])
def test_who_is_removed_finds_nothing_on_any_page_that_is_open(
    headers: dict[str, str], admin: Membership, sign_in: SignIn
) -> None:
    person = MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    theirs = sign_in(person)
    slug = admin.organization.slug
    client = sign_in(admin)
    client.post(url(admin.organization), form_of(ask(client, admin.organization, person)))
    for name in ("dashboard", "members", "billing", "organization_settings", "audit_log", "people_remove"):
        assert theirs.get(reverse(name, args=[slug]), headers=headers).status_code == 404
    for name in ("members_invite", "managers_link", "card", "leave", "people_remove"):
        assert theirs.post(reverse(name, args=[slug]), headers=headers).status_code == 404


@pytest.mark.parametrize("path", ["members", "billing"])
def test_the_lists_offer_a_choice_of_those_who_may_be_removed(
    path: str, admin: Membership, member: Membership, billing_manager: Membership, sign_in: SignIn
) -> None:
    page = text(sign_in(admin).get(reverse(path, args=[admin.organization.slug])))
    offered = set(re.findall(r'name="person"\s+value="([^"]+)"', page))
    assert offered == {str((member if path == "members" else billing_manager).pk)}
    assert "Remove chosen" in page


def test_who_may_remove_nobody_is_offered_no_choice(
    member: Membership, billing_manager: Membership, sign_in: SignIn
) -> None:
    for reader, path in ((member, "members"), (billing_manager, "billing")):
        page = text(sign_in(reader).get(reverse(path, args=[reader.organization.slug])))
        assert "removal-form" not in page


@pytest.mark.django_db(transaction=True)
def test_of_two_admins_who_remove_each_other_and_a_third_at_once_one_does(sign_in: SignIn) -> None:
    for _round in range(3):
        organization = OrganizationFactory()
        first, second = (MembershipFactory(organization=organization, role=Role.ADMIN) for _ in range(2))
        third = MembershipFactory(organization=organization)
        shown = f"{third.pk}~member"
        answers = at_once(
            partial(sign_in(first).post, url(organization), {"person": [f"{second.pk}~admin", shown]}),
            partial(sign_in(second).post, url(organization), {"person": [f"{first.pk}~admin", shown]}),
        )
        assert sorted(answer.status_code for answer in answers) == [302, 404]
        assert Membership.objects.for_org(organization).count() == 1
