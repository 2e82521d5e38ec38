"""The page of access tokens, and the ways through it."""

import re
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from orgs.models import Membership
from tests.conftest import SignIn
from tests.tokens.factories import AccessTokenFactory
from tests.world import signed_in
from tokens.models import AccessToken
from tokens.secret import digest_of

pytestmark = pytest.mark.django_db

KEY = "5e2c0d0e-4f0b-4c53-9d0a-0f6a3a1c7b11"


def url(membership: Membership, name: str = "tokens", *args: object) -> str:
    return reverse(name, args=[membership.organization.slug, *args])


def data(**changes: object) -> dict[str, object]:
    return {"name": "Nightly export", "scopes": ["members.list"], "life": "90", "key": KEY, **changes}


def text(response: HttpResponse) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def test_the_secret_is_shown_once(member: Membership, sign_in: SignIn) -> None:
    client = sign_in(member)
    page = text(client.post(url(member, "token_new"), data()))
    found = re.search(r'value="(bpp_\w{36})"', page)
    assert found is not None
    token = AccessToken.objects.get()
    assert token.digest == digest_of(found[1])
    assert token.expires_at - timezone.now() > timedelta(days=89)
    again = client.post(url(member, "token_new"), data())
    assert again.status_code == 422
    assert "shown only once" in text(again)
    listed = text(client.get(url(member)))
    assert "Nightly export" in listed
    assert found[1] not in listed
    assert AuditEvent.objects.get().actor_id == member.user_id


def test_a_form_offers_what_its_reader_may(admin: Membership, member: Membership, sign_in: SignIn) -> None:
    def offered(membership: Membership, name: str) -> set[str]:
        page = text(sign_in(membership).get(url(membership, name)))
        return set(re.findall(r'name="scopes"[^>]*value="([\w.]+)"', page)) | set(
            re.findall(r'value="([\w.]+)"[^>]*name="scopes"', page)
        )

    assert offered(member, "token_new") == {
        "organization.view",
        "members.api_list",
        "members.list",
        "rum.per_stack",
        "teams.api_list",
        "teams.list",
        "rum.summary",
    }
    assert {"audit.read", "members.invite"} <= offered(admin, "token_new")
    assert "usage.record" not in offered(admin, "token_new")
    assert "members.invite" not in offered(admin, "organization_token_new")
    assert "usage.record" in offered(admin, "organization_token_new")


def test_a_day_can_be_chosen(member: Membership, sign_in: SignIn) -> None:
    day = (timezone.now() + timedelta(days=10)).date()
    sign_in(member).post(url(member, "token_new"), data(life="date", until=day.isoformat()))
    assert AccessToken.objects.get().expires_at.date() == day


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"life": "date", "until": ""}, "Choose the last day"),
        ({"life": "date", "until": "soon"}, "Enter a day"),
        ({"life": "date", "until": "2020-01-01"}, "within the next year"),
        ({"life": "date", "until": "9999-12-31"}, "within the next year"),
        ({"life": "forever"}, "Select a valid choice"),
        ({"scopes": []}, "Choose at least one thing"),
        ({"scopes": ["audit.read"]}, "Select a valid choice"),
        ({"name": ""}, "This field is required"),
        ({"key": "x"}, "form is damaged"),
    ],
)
def test_a_wrong_form_makes_nothing(
    member: Membership, sign_in: SignIn, changes: dict[str, object], said: str
) -> None:
    answer = sign_in(member).post(url(member, "token_new"), data(**changes))
    assert answer.status_code == 422
    assert said in text(answer)
    assert not AccessToken.objects.exists()


def test_making_asks_for_the_password_again(member: Membership, admin: Membership) -> None:
    for membership, name in ((member, "token_new"), (admin, "organization_token_new")):
        client = signed_in(membership.user, ago=timedelta(hours=1))
        answer = client.post(url(membership, name), data())
        assert answer.status_code == 302
        assert "reauthenticate" in answer.headers["Location"]
    assert not AccessToken.objects.exists()


def test_an_admin_sees_and_revokes_all_tokens(admin: Membership, member: Membership, sign_in: SignIn) -> None:
    organization = admin.organization
    theirs = AccessTokenFactory(organization=organization, membership=member, name="Theirs")
    shared = AccessTokenFactory(organization=organization, name="Shared")
    client = sign_in(admin)
    page = text(client.get(url(admin)))
    assert "Theirs" in page
    assert "Shared" in page
    for token in (theirs, shared):
        address = url(admin, "token_revoke", token.pk)
        assert f"Revoke the token {token.name}?" in text(client.get(address))
        assert client.post(address).status_code == 302
    assert not AccessToken.objects.exists()
    assert AuditEvent.objects.filter(action="access_token.revoked", actor_id=admin.user_id).count() == 2


def test_a_member_sees_and_revokes_their_own_only(
    admin: Membership, member: Membership, sign_in: SignIn
) -> None:
    own = AccessTokenFactory(organization=admin.organization, membership=member, name="Own")
    others = [
        AccessTokenFactory(organization=admin.organization, membership=owner, name="Hidden")
        for owner in (admin, None)
    ]
    client = sign_in(member)
    page = text(client.get(url(member)))
    assert "Own" in page
    assert "Hidden" not in page
    for token in others:
        assert client.post(url(member, "token_revoke", token.pk)).status_code == 404
    client.post(url(member, "token_revoke", own.pk))
    assert AccessToken.objects.count() == 2
    assert AuditEvent.objects.get().actor_id == member.user_id


def test_an_expired_token_says_so(member: Membership, sign_in: SignIn) -> None:
    AccessTokenFactory(
        organization=member.organization, membership=member, expires_at=timezone.now() - timedelta(days=1)
    )
    assert "Expired" in text(sign_in(member).get(url(member)))
