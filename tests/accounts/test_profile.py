"""A person changes their name."""

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import AuditEvent
from audit.services import Actor, record
from orgs.actions import ORGANIZATION_RENAMED
from orgs.models import Membership
from tests.conftest import SignIn

PROFILE = "/accounts/profile/"


def save(client: Client, name: str) -> HttpResponse:
    return client.post(PROFILE, {"name": name}, follow=True)


def test_the_new_name_stands_on_every_page(admin: Membership, sign_in: SignIn) -> None:
    client = sign_in(admin)
    answer = save(client, "  Noor  van Dijk ")
    assert answer.redirect_chain == [(PROFILE, 302)]
    assert "Your name is saved." in answer.content.decode()
    members = client.get(reverse("members", args=[admin.organization.slug])).content.decode()
    assert "Noor  van Dijk" in members
    assert admin.user.name not in members


def test_the_form_shows_the_present_name(member: Membership, sign_in: SignIn) -> None:
    assert f'value="{member.user.name}"' in sign_in(member).get(PROFILE).content.decode()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Enter your name."),
        (" \t ", "Enter your name."),
        ("x" * 81, "at most 80 characters"),
        ("Noor\nBcc: all@ledger.test", ""),
        ("win at https://evil.test", ""),
        ("Noor \u202eneeuq", ""),
        ("a\x00b", ""),
        ("<b>Noor</b>", ""),
    ],
    ids=range(8),
)
def test_a_name_that_is_none_is_refused_with_a_sentence(
    name: str, sentence: str, member: Membership, sign_in: SignIn
) -> None:
    answer = save(sign_in(member), name)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert 'aria-invalid="true"' in page
    # The page still calls them by the name that they have.
    assert f">{member.user.name}</span>" in page
    assert User.objects.get(pk=member.user_id).name == member.user.name


def test_pressing_twice_or_a_form_of_long_ago_does_no_harm(member: Membership, sign_in: SignIn) -> None:
    client = sign_in(member)
    User.objects.filter(pk=member.user_id).update(email="new@ledger.test")
    for _again in range(2):
        assert save(client, "Noor van Dijk").status_code == 200
    user = User.objects.get(pk=member.user_id)
    assert (user.name, user.email) == ("Noor van Dijk", "new@ledger.test")


def test_what_was_written_down_keeps_the_former_name(admin: Membership, sign_in: SignIn) -> None:
    former = admin.user.name
    record(
        ORGANIZATION_RENAMED,
        actor=Actor.person(admin.user),
        organization=admin.organization,
        old="a",
        new="b",
    )
    save(sign_in(admin), "Noor van Dijk")
    assert AuditEvent.objects.get().actor_name == former


def test_a_get_changes_nothing(member: Membership, sign_in: SignIn) -> None:
    sign_in(member).get(PROFILE, {"name": "Noor van Dijk"})
    assert User.objects.get(pk=member.user_id).name == member.user.name


@pytest.mark.parametrize("page", ["organizations", "usersessions_list", "account_email"])
def test_personal_pages_lead_to_the_profile(page: str, member: Membership, sign_in: SignIn) -> None:
    assert sign_in(member).get(reverse(page)).content.decode().count(f'href="{PROFILE}"') == 2
