"""Changing a role: the question before it, and the way back after it."""

import re
from functools import partial
from itertools import product

import pytest
from django.http import HttpResponse
from django.urls import reverse

from audit.models import AuditEvent
from orgs.models import Membership, Organization
from orgs.policy import Permission, Role, permissions_of
from orgs.role_questions import role_question
from outbox.models import OutgoingEmail
from tests.conftest import SignIn
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory
from tests.races import at_once

ROLES = list(Role)


def url(target: Membership) -> str:
    return reverse("member_role", args=[target.organization.slug, target.pk])


def press(sign_in: SignIn, actor: Membership, target: Membership, *, role: str, shown: str) -> HttpResponse:
    return sign_in(actor).post(url(target), {"role": role, "shown_role": shown}, follow=True)


def role_of(target: Membership) -> str:
    return Membership.objects.get(pk=target.pk).role


def undo_of(page: str) -> dict[str, str]:
    """What the button of the banner sends."""
    form = re.search(
        r'class="banner good">.*?<form method="post"\s+action="([^"]+)">(.*?)</form>', page, re.DOTALL
    )
    assert form is not None
    return {
        "action": form[1],
        **dict(re.findall(r'name="(role|shown_role)" type="hidden" value="(\w+)"', form[2])),
    }


@pytest.mark.parametrize("delegated", [False, True])
@pytest.mark.parametrize(("today", "role"), list(product(ROLES, ROLES)))
def test_the_question_says_all_that_changes_and_nothing_else(
    today: Role, role: Role, delegated: bool
) -> None:
    question = role_question(name="Milo", today=today, role=role, own=False, delegated=delegated)
    before, after = (permissions_of(one, delegated=delegated) for one in (today, role))
    gained = [act for _part, acts in question.gained for act in acts]
    lost = [act for _part, acts in question.lost for act in acts]
    assert set(gained) == {one.label for one in after - before}
    assert set(lost) == {one.label for one in before - after}
    assert len(gained) == len(set(gained))
    assert len(lost) == len(set(lost))


def test_the_question_names_the_person_the_role_and_what_it_gives(
    admin: Membership, member: Membership, sign_in: SignIn
) -> None:
    page = sign_in(admin).get(url(member), {"role": "admin"}).content.decode()
    assert f"Make {member.user.name} an admin?" in page
    gained, _found, lost = page.partition("They will no longer be able to:")
    assert str(Permission.MEMBERS_INVITE.label) in gained
    assert not lost
    assert "You can undo it afterwards." in page


def test_of_ones_own_role_the_question_says_that_one_cannot_undo_it(
    admin: Membership, sign_in: SignIn
) -> None:
    MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    client = sign_in(admin)
    page = client.get(url(admin), {"role": "member"}).content.decode()
    for sentence in (
        "Stop being an admin and become a member?",
        "You can&#x27;t undo this yourself. Only another admin can make you an admin again.",
        "You will no longer be able to:",
    ):
        assert sentence.replace("&#x27;", "'") in page.replace("&#x27;", "'")
    assert "undo it afterwards" not in page
    after = client.post(url(admin), {"role": "member", "shown_role": "admin"}, follow=True).content.decode()
    assert "Your role is member now." in after
    assert "Undo" not in after
    assert client.post(url(admin), {"role": "admin", "shown_role": "member"}).status_code == 403
    assert role_of(admin) == Role.MEMBER


def test_one_press_undoes_it_and_tells_of_it_like_of_any_change(
    admin: Membership, member: Membership, sign_in: SignIn
) -> None:
    page = press(sign_in, admin, member, role="admin", shown="member").content.decode()
    undo = undo_of(page)
    assert undo == {"action": url(member), "role": "member", "shown_role": "admin"}
    after = press(sign_in, admin, member, role=undo["role"], shown=undo["shown_role"])
    assert "is member now" in after.content.decode()
    assert role_of(member) == Role.MEMBER
    assert [event.data for event in AuditEvent.objects.order_by("id")] == [
        {"old": "member", "new": "admin"},
        {"old": "admin", "new": "member"},
    ]
    assert OutgoingEmail.objects.filter(kind="role_changed", to=member.user.email).count() == 2


def test_pressed_twice_the_second_banner_undoes_the_same_change(
    admin: Membership, member: Membership, sign_in: SignIn
) -> None:
    for _press in range(2):
        page = press(sign_in, admin, member, role="admin", shown="member").content.decode()
    assert undo_of(page)["role"] == "member"
    assert AuditEvent.objects.count() == 1


def test_what_somebody_changed_meanwhile_is_not_undone(
    admin: Membership, member: Membership, sign_in: SignIn
) -> None:
    undo = undo_of(press(sign_in, admin, member, role="admin", shown="member").content.decode())
    Membership.objects.filter(pk=member.pk).update(role=Role.BILLING_MANAGER)
    answer = press(sign_in, admin, member, role=undo["role"], shown=undo["shown_role"])
    assert answer.status_code == 409
    assert "has changed since you opened this" in answer.content.decode()
    assert role_of(member) == Role.BILLING_MANAGER


def test_of_a_person_who_was_removed_meanwhile_nothing_is_undone(
    admin: Membership, member: Membership, sign_in: SignIn
) -> None:
    path = url(member)
    member.delete()
    assert sign_in(admin).post(path, {"role": "member", "shown_role": "admin"}).status_code == 404


# Of oneself there is one role of today.
CASES = [
    *((acting, today, role, False) for acting, today, role in product(ROLES, ROLES, ROLES)),
    *((acting, acting, role, True) for acting, role in product(ROLES, ROLES)),
]


@pytest.mark.parametrize(("acting", "today", "role", "own"), CASES)
def test_who_may_make_whom_what(
    acting: Role, today: Role, role: Role, own: bool, sign_in: SignIn, db: None
) -> None:
    """Only admins, and of anybody anything: with another admin there, themselves too."""
    organization = OrganizationFactory(edition_code="enterprise-growth")
    MembershipFactory(organization=organization, role=Role.ADMIN)
    actor = MembershipFactory(organization=organization, role=acting)
    target = actor if own else MembershipFactory(organization=organization, role=today)
    before = target.role
    answer = sign_in(actor).post(url(target), {"role": role, "shown_role": before})
    allowed = acting is Role.ADMIN
    assert answer.status_code == (302 if allowed else 403)
    assert role_of(target) == (role if allowed else before)


@pytest.mark.parametrize("role", [Role.MEMBER, Role.BILLING_MANAGER])
def test_the_last_admin_stays_one_and_reads_why(role: Role, admin: Membership, sign_in: SignIn) -> None:
    MembershipFactory(organization=admin.organization, role=Role.ADMIN, user=UserFactory(is_active=False))
    page = press(sign_in, admin, admin, role=role, shown="admin").content.decode()
    assert "An organization needs an admin." in page
    assert role_of(admin) == Role.ADMIN


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_two_who_change_what_they_saw_at_once_one_reads_that_it_changed(sign_in: SignIn) -> None:
    for _round in range(3):
        organization = OrganizationFactory(edition_code="enterprise-growth")
        admins = [MembershipFactory(organization=organization, role=Role.ADMIN) for _ in range(2)]
        target = MembershipFactory(organization=organization)
        clients = [sign_in(admin) for admin in admins]
        answers = at_once(
            *(
                partial(client.post, url(target), {"role": role, "shown_role": "member"})
                for client, role in zip(clients, ("admin", "billing_manager"), strict=True)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [302, 409]
        assert AuditEvent.objects.for_org(organization.pk).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_an_undo_and_another_change_at_once_one_counts(sign_in: SignIn) -> None:
    for _round in range(3):
        organization: Organization = OrganizationFactory(edition_code="enterprise-growth")
        admins = [MembershipFactory(organization=organization, role=Role.ADMIN) for _ in range(2)]
        target = MembershipFactory(organization=organization, role=Role.ADMIN)
        clients = [sign_in(admin) for admin in admins]
        undo = {"role": "member", "shown_role": "admin"}
        answers = at_once(
            partial(clients[0].post, url(target), undo),
            partial(clients[1].post, url(target), {"role": "billing_manager", "shown_role": "admin"}),
        )
        assert sorted(answer.status_code for answer in answers) == [302, 409]
