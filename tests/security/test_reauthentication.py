"""A sensitive act that waits for the password is done after it, once, by whoever may then."""

import re
from datetime import timedelta

import pytest
from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from invitations.models import Invitation
from orgs.models import Membership
from orgs.policy import Role
from tests.conftest import SignIn
from tests.factories import PASSWORD, MembershipFactory
from tests.world import signed_in

pytestmark = pytest.mark.django_db


def signed_in_long_ago(membership: Membership) -> Client:
    return signed_in(membership.user, ago=timedelta(hours=1))


def role_url(target: Membership) -> str:
    return reverse("member_role", args=[target.organization.slug, target.pk])


def confirm(client: Client, response: HttpResponse, password: str = PASSWORD) -> HttpResponse:
    """Answer the question for the password that a sensitive act led to."""
    return client.post(response.headers["Location"], {"password": password})


def test_the_act_is_done_once_the_password_is_given(admin: Membership, member: Membership) -> None:
    client = signed_in_long_ago(admin)
    asked = client.post(role_url(member), {"role": "admin", "shown_role": "member"})
    answer = confirm(client, asked)
    assert (answer.status_code, answer.headers["Location"]) == (
        302,
        reverse("members", args=[admin.organization.slug]),
    )
    member.refresh_from_db()
    assert member.role == Role.ADMIN
    assert AuditEvent.objects.filter(action="membership.role_changed").count() == 1


def test_the_question_names_the_step_that_waits(admin: Membership, member: Membership) -> None:
    client = signed_in_long_ago(admin)
    named = f"Next step, in {admin.organization.name}: "
    asked = client.post(role_url(member), {"role": "admin", "shown_role": "member"}).headers["Location"]
    assert f"{named}change a person&#x27;s role." in client.get(asked).content.decode()
    assert named in client.post(asked, {"password": "wrong"}).content.decode()
    invite = reverse("members_invite", args=[admin.organization.slug])
    asked = client.post(invite, {"email": "lee@ledger.test", "role": "admin"}).headers["Location"]
    assert f"{named}invite an admin." in client.get(asked).content.decode()
    other = f"{reverse('account_reauthenticate')}?next={reverse('mfa_index')}"
    assert "Next step" not in client.get(other).content.decode()


def drawn_step(client: Client, url: str) -> str:
    return step_in(client.get(url))


def step_in(page: HttpResponse) -> str:
    step = re.search(r'name="step"\s+type="hidden"\s+value="([^"]+)"', page.content.decode())
    assert step is not None
    return step[1]


def test_the_password_carries_out_the_step_that_its_page_named(admin: Membership) -> None:
    """Two tabs begin the same kind of step: each for another person."""
    client = signed_in_long_ago(admin)
    invite = reverse("members_invite", args=[admin.organization.slug])
    pages = []
    for email in ("kim@ledger.test", "lee@ledger.test"):
        asked = client.post(invite, {"email": email, "role": "admin"}).headers["Location"]
        pages.append((asked, drawn_step(client, asked)))
    (first, first_step), (second, second_step) = pages
    answer = client.post(first, {"password": PASSWORD, "step": first_step})
    assert "Another step was started after you opened this page." in answer.content.decode()
    assert step_in(answer) == second_step
    assert not Invitation.objects.exists()
    client.post(second, {"password": PASSWORD, "step": second_step})
    assert Invitation.objects.get().email == "lee@ledger.test"


def test_a_wrong_password_does_nothing(admin: Membership, member: Membership) -> None:
    client = signed_in_long_ago(admin)
    answer = confirm(
        client, client.post(role_url(member), {"role": "admin", "shown_role": "member"}), "wrong"
    )
    assert answer.status_code == 200
    member.refresh_from_db()
    assert member.role == Role.MEMBER


def test_the_act_is_not_done_twice(admin: Membership, member: Membership) -> None:
    client = signed_in_long_ago(admin)
    asked = client.post(role_url(member), {"role": "admin", "shown_role": "member"})
    confirm(client, asked)
    Membership.objects.filter(pk=member.pk).update(role=Role.MEMBER)
    confirm(client, asked)
    member.refresh_from_db()
    assert member.role == Role.MEMBER
    assert STATE_SESSION_KEY not in client.session


def test_whoever_lost_the_right_meanwhile_is_refused(admin: Membership, member: Membership) -> None:
    MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    client = signed_in_long_ago(admin)
    asked = client.post(role_url(member), {"role": "admin", "shown_role": "member"})
    Membership.objects.filter(pk=admin.pk).update(role=Role.MEMBER)
    assert confirm(client, asked).status_code == 403
    member.refresh_from_db()
    assert member.role == Role.MEMBER


def test_whoever_was_removed_meanwhile_finds_nothing(admin: Membership, member: Membership) -> None:
    client = signed_in_long_ago(admin)
    asked = client.post(role_url(member), {"role": "admin", "shown_role": "member"})
    Membership.objects.filter(pk=admin.pk).delete()
    assert confirm(client, asked).status_code == 404
    member.refresh_from_db()
    assert member.role == Role.MEMBER


def test_an_act_that_waited_is_not_done_by_the_next_person(admin: Membership, member: Membership) -> None:
    other = MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    client = signed_in_long_ago(admin)
    asked = client.post(role_url(member), {"role": "admin", "shown_role": "member"})
    client.post(reverse("account_login"), {"login": other.user.email, "password": PASSWORD})
    client.post(reverse("account_logout"))
    client.post(reverse("account_login"), {"login": other.user.email, "password": PASSWORD})
    confirm(client, asked)
    member.refresh_from_db()
    assert member.role == Role.MEMBER


def test_a_get_of_a_suspended_address_does_nothing(
    admin: Membership, member: Membership, sign_in: SignIn
) -> None:
    """A link to the question for the password, with an act's address as the way back, changes nothing."""
    client = sign_in(admin)
    url = f"{reverse('account_reauthenticate')}?next={role_url(member)}"
    answer = client.post(url, {"password": PASSWORD, "role": "admin"}, follow=True)
    assert answer.redirect_chain[0][0] == role_url(member)
    member.refresh_from_db()
    assert member.role == Role.MEMBER


def test_a_refusal_after_the_password_is_a_whole_page_though_a_dialog_had_asked(
    admin: Membership, member: Membership
) -> None:
    client = signed_in_long_ago(admin)
    invite = reverse("members_invite", args=[admin.organization.slug])
    data = {"email": member.user.email, "role": "admin"}
    asked = client.post(invite, data, headers={"HX-Request": "true"})
    answer = client.post(asked.headers["HX-Redirect"], {"password": PASSWORD})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert page.lstrip().startswith("<!DOCTYPE html>")
    assert "belongs to" in page
