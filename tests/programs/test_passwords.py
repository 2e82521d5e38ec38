"""A new password ends what acts in its person's name."""

from collections.abc import Callable

import pytest
from allauth.account import app_settings
from allauth.account.utils import user_pk_to_url_str
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import AuditEvent
from orgs.models import Membership
from orgs.policy import Role
from programs.models import Connection
from programs.services import end_credentials_of
from tests.api.program import is_problem
from tests.factories import PASSWORD, MembershipFactory
from tests.programs.factories import ConnectionFactory, ProgramFactory
from tests.programs.tool import Tool, connect, program, refused
from tests.tokens.factories import AccessTokenFactory
from tests.world import signed_in
from tokens.models import AccessToken

pytestmark = pytest.mark.django_db

NEW = {"password1": "an-entirely-new-one-42", "password2": "an-entirely-new-one-42"}


def changes(person: User) -> None:
    answer = signed_in(person).post(reverse("account_change_password"), {"oldpassword": PASSWORD, **NEW})
    assert answer.status_code == 302


def resets(person: User) -> None:
    token = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(person)
    link = reverse("account_reset_password_from_key", args=[user_pk_to_url_str(person), token])
    browser = Client()
    form = browser.get(link, follow=True).request["PATH_INFO"]
    assert browser.post(form, NEW).status_code == 302


@pytest.mark.parametrize("way", [changes, resets])
def test_a_new_password_ends_tokens_and_programs(way: Callable[[User], None], admin: Membership) -> None:
    tool, person = Tool(ProgramFactory()), admin.user
    tokens = connect(tool, admin)
    ConnectionFactory(membership=MembershipFactory(user=person, role=Role.BILLING_MANAGER))
    AccessTokenFactory(organization=admin.organization, membership=admin)
    stays = [
        AccessTokenFactory(organization=admin.organization),
        ConnectionFactory(membership__organization=admin.organization),
    ]
    way(person)
    assert User.objects.get(pk=person.pk).check_password(NEW["password1"])
    is_problem(program(tokens, admin).get("billing"), 401)
    assert refused(tool.refresh(tokens["refresh_token"])) == "invalid_grant"
    assert [AccessToken.objects.get(), Connection.objects.get()] == stays
    ended = AuditEvent.objects.filter(action__in=["program.ended", "access_token.ended"])
    assert [event.data["reason"] for event in ended] == ["password"] * 3
    assert ended.filter(organization_id=admin.organization_id).count() == 2
    assert "their password was changed" in str(ended.first())


def test_a_password_that_is_not_saved_ends_nothing(
    admin: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    ConnectionFactory(membership=admin)

    def full(self: User, *_args: object, **_kwargs: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(User, "save", full)
    with pytest.raises(ConnectionError):
        changes(admin.user)
    assert Connection.objects.exists()


def test_who_has_nothing_of_the_kind_locks_nothing(admin: Membership) -> None:
    end_credentials_of(admin.user)
    assert not AuditEvent.objects.exists()
