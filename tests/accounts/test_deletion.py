"""Deleting one's account: every organization is left, nothing of the person stays but what logs tell."""

import re
import uuid
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.mails import UNKNOWN_MAIL
from accounts.models import User
from audit.models import AuditEvent
from invitations import services as invitations
from invitations.models import Invitation, State
from orgs import account_deletion, services
from orgs.account_deletion import delete_account
from orgs.errors import PageOutdated, Refused
from orgs.models import Membership, Organization
from orgs.policy import Role
from orgs.services import change_role, create_organization, leave
from outbox.delivery import deliver_due
from outbox.models import OutgoingEmail
from outbox.models import State as MailState
from outbox.services import enqueue
from tests.conftest import SignIn
from tests.factories import PASSWORD, MembershipFactory, UserFactory
from tests.invitations.claims import by_link
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import text
from tests.programs.factories import ConnectionFactory
from tests.races import ROUNDS, at_once
from tests.tokens.factories import AccessTokenFactory
from tests.world import signed_in
from tokens.models import AccessToken

pytestmark = pytest.mark.django_db

PAGE = "/accounts/delete/"


def delete(membership: Membership) -> None:
    delete_account(user=membership.user, shown=[str(membership.organization_id)])


def press(client: Client) -> str:
    page = client.get(PAGE).content.decode()
    shown = re.findall(r'name="organization"\s+type="hidden"\s+value="([^"]+)"', page)
    return text(client.post(PAGE, {"organization": shown}, follow=True))


def test_the_person_is_gone_and_the_address_free(
    admin: Membership, member: Membership, sign_in: SignIn
) -> None:
    address = member.user.email
    other, client = sign_in(member), sign_in(member)
    key = other.cookies[settings.SESSION_COOKIE_NAME].value
    UserSession.objects.create(user=member.user, session_key=key, ip="192.0.2.7", user_agent="")
    Authenticator.objects.create(user=member.user, type=Authenticator.Type.TOTP, data={"secret": "x"})
    assert admin.organization.name in text(client.get(PAGE))
    assert "Your account is deleted." in press(client)
    assert not User.objects.filter(pk=member.user_id).exists()
    assert not EmailAddress.objects.filter(email=address).exists()
    assert not Membership.objects.filter(pk=member.pk).exists()
    assert not Session.objects.filter(session_key=key).exists()
    for browser in (client, other):
        assert browser.get("/accounts/profile/").status_code == 302
    left = AuditEvent.objects.get(action="membership.left")
    assert (left.actor_name, left.actor_id) == (member.user.name, member.user_id)
    deleted = AuditEvent.objects.get(action="account.deleted")
    assert (deleted.actor_name, deleted.actor_id) == ("", member.user_id)
    answer = Client().post(
        "/accounts/signup/", {"email": address, "name": "Lee", "password1": PASSWORD, "password2": PASSWORD}
    )
    assert answer.status_code == 302
    assert User.objects.get(email=address).pk != member.user_id


def test_what_waits_for_the_person_ends_and_a_mail_confirms_it(admin: Membership) -> None:
    leaving = MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    address = leaving.user.email
    with transaction.atomic():
        enqueue(UNKNOWN_MAIL, to=address, dedupe_key="waits")
    invitation = InvitationFactory(organization=admin.organization, inviter=leaving)
    AccessTokenFactory(organization=admin.organization, membership=leaving)
    delete(leaving)
    assert OutgoingEmail.objects.get(dedupe_key="waits").state == MailState.DROPPED
    assert not AccessToken.objects.exists()
    invitation.refresh_from_db()
    assert (invitation.state, invitation.invited_by) == (State.REVOKED, None)
    deliver_due()
    assert OutgoingEmail.objects.get(kind="account_deleted", to=address).state == MailState.SENT


def test_the_page_tells_what_ends_in_each_organization(
    member: Membership, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = MembershipFactory(user=member.user, organization__name="Zeta", role=Role.BILLING_MANAGER)
    AccessTokenFactory(organization=member.organization, membership=member)
    for _program in range(2):
        ConnectionFactory(membership=elsewhere)
    client = sign_in(member)
    page = text(client.get(PAGE))
    assert "1 personal access token" in page
    assert page.index("Zeta") < page.index("2 connected programs")
    monkeypatch.setattr(account_deletion, "TOLD_OF", 1)
    page = text(client.get(PAGE))
    assert "Zeta" in page
    assert "2 connected programs" not in page


def test_the_only_admin_hands_over_or_closes_first(admin: Membership, sign_in: SignIn) -> None:
    client, slug = sign_in(admin), admin.organization.slug
    page = text(client.get(PAGE))
    assert "You are the only admin here." in page
    assert f"/orgs/{slug}/settings/close/" in page
    assert f"/orgs/{slug}/settings/members/" in page
    assert '<button class="button danger"' not in page
    with pytest.raises(Refused, match="needs an admin"):
        delete(admin)
    Organization.objects.update(closes_after=timezone.now().date() + timedelta(days=30))
    assert "It closes after" in text(client.get(PAGE))
    assert User.objects.filter(pk=admin.user_id).exists()


def test_the_only_admin_by_now_is_refused_and_leaves_nothing(admin: Membership) -> None:
    """Of two organizations: what was left first is not left after all."""
    elsewhere = MembershipFactory(user=admin.user, role=Role.MEMBER)
    with pytest.raises(Refused):
        delete_account(user=admin.user, shown=[str(admin.organization_id), str(elsewhere.organization_id)])
    assert Membership.objects.filter(user=admin.user).count() == 2


def test_another_organization_than_the_page_named_shows_it_anew(member: Membership, sign_in: SignIn) -> None:
    client = sign_in(member)
    for shown in ([], ["x"], [str(member.organization_id), "x"]):
        assert client.post(PAGE, {"organization": shown}).status_code == 409
    assert User.objects.filter(pk=member.user_id).exists()


def test_it_asks_for_the_password_again_and_staff_ask_another(member: Membership, sign_in: SignIn) -> None:
    stale = signed_in(member.user, ago=timedelta(hours=1))
    asked = stale.post(PAGE, {"organization": [str(member.organization_id)]}).headers["Location"]
    assert "Next step: delete your account." in text(stale.get(asked))
    assert User.objects.filter(pk=member.user_id).exists()
    User.objects.filter(pk=member.user_id).update(is_staff=True)
    assert "Ask another one of the staff" in text(sign_in(member).get(PAGE))
    with pytest.raises(Refused, match="by other staff"):
        delete(member)
    assert Membership.objects.filter(pk=member.pk).exists()


def test_somebody_who_belongs_nowhere_can_go_too() -> None:
    user = UserFactory()
    assert "Your account is deleted." in press(signed_in(user))


def test_who_joins_an_organization_while_it_runs_keeps_the_account(
    member: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave_while_joining(*, membership: Membership) -> None:
        leave(membership=membership)
        MembershipFactory(user=member.user)

    monkeypatch.setattr(account_deletion, "leave", leave_while_joining)
    with pytest.raises(PageOutdated):
        delete(member)
    assert User.objects.filter(pk=member.user_id).exists()


def test_a_last_day_that_has_passed_is_not_in_the_way_before_beat_ends_it() -> None:
    yesterday = timezone.now().date() - timedelta(days=1)
    auditor = MembershipFactory(role=Role.BILLING_VIEWER, last_day=yesterday)
    assert "Your account is deleted." in press(signed_in(auditor.user))
    told = AuditEvent.objects.for_org(auditor.organization_id).values_list("action", flat=True)
    assert list(told) == ["membership.last_day_passed"]


def test_who_is_removed_while_it_runs_is_shown_the_page_anew(
    member: Membership, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave_when_removed(*, membership: Membership) -> None:
        Membership.objects.filter(pk=membership.pk).delete()
        leave(membership=membership)

    client = sign_in(member)
    monkeypatch.setattr(account_deletion, "leave", leave_when_removed)
    answer = client.post(PAGE, {"organization": str(member.organization_id)})
    assert answer.status_code == 409
    assert "Your organizations have changed" in text(answer)


def test_who_founds_an_organization_after_all_reads_that_the_account_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user = UserFactory()

    def found_too_late(**values: Any) -> Organization:
        delete_account(user=user, shown=[])
        return create_organization(**values)

    client = signed_in(user)
    monkeypatch.setattr(services, "create_organization", found_too_late)
    answer = client.post("/orgs/new/", {"name": "Acme", "idempotency_key": str(uuid.uuid4())})
    assert answer.status_code == 422
    assert "Your account was deleted meanwhile, so nothing was created." in text(answer)
    assert not Organization.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rounds", ROUNDS)
def test_an_organization_founded_meanwhile_keeps_the_account_or_comes_too_late(rounds: int) -> None:
    for _round in range(rounds):
        user = UserFactory()

        def found(user: User = user) -> Organization:
            return create_organization(user=user, name="Acme")

        def go(user: User = user) -> None:
            delete_account(user=user, shown=[])

        founded, gone = at_once(found, go)
        assert isinstance(founded, Organization) is isinstance(gone, PageOutdated)
        assert isinstance(founded, Organization | Refused)
        assert User.objects.filter(pk=user.pk).exists() is isinstance(founded, Organization)


@pytest.mark.django_db(transaction=True)
def test_an_invitation_accepted_meanwhile_keeps_the_account_or_comes_too_late(member: Membership) -> None:
    invitation = InvitationFactory(role=Role.MEMBER)
    user_id = member.user_id

    def accept() -> None:
        with suppress(User.DoesNotExist):
            invitations.accept(user=member.user, claim=by_link(invitation))

    def go() -> None:
        with suppress(PageOutdated):
            delete(member)

    at_once(accept, go)
    memberships = Membership.objects.filter(user_id=user_id).count()
    assert memberships == (2 if User.objects.filter(pk=user_id).exists() else 0)
    assert Invitation.objects.get(pk=invitation.pk).state == (
        State.ACCEPTED if memberships else State.PENDING
    )


@pytest.mark.django_db(transaction=True)
def test_of_two_admins_who_go_at_once_one_stays(admin: Membership) -> None:
    other = MembershipFactory(organization=admin.organization, role=Role.ADMIN)

    def go(membership: Membership) -> None:
        with suppress(Refused):
            delete(membership)

    at_once(lambda: go(admin), lambda: go(other))
    assert Membership.objects.for_org(admin.organization).admins().count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_an_admin_who_goes_and_one_who_is_demoted_one_stays(admin: Membership) -> None:
    other = MembershipFactory(organization=admin.organization, role=Role.ADMIN)

    def go() -> None:
        with suppress(Refused):
            delete(admin)

    def demote() -> None:
        with suppress(Refused, Membership.DoesNotExist):
            change_role(actor=admin, membership_id=other.pk, role=Role.MEMBER)

    at_once(go, demote)
    assert Membership.objects.for_org(admin.organization).admins().exists()
