"""A dead link asks for a new invitation in one press; those who may invite send it in one press.

No test waits for the very end of ASKED_EVERY, so that its ``<`` could be ``<=``.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import display_name
from audit.models import AuditEvent
from invitations import services
from invitations.models import ASKED_SHOWN, Invitation, Kind, State
from invitations.selectors import pending_invitations
from orgs.models import Membership, Organization
from orgs.policy import Role
from outbox.models import OutgoingEmail
from tests.conftest import SignIn
from tests.factories import MembershipFactory, UserFactory
from tests.invitations.claims import by_link, by_mail
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import accept, page_of, text
from tests.invitations.test_invitee import opened
from tests.sampling import sampled
from tests.world import signed_in

pytestmark = pytest.mark.django_db

BUTTON = "Ask for a new invitation"


def ask(client: Client, invitation: Invitation, generation: int = 1) -> HttpResponse:
    url = reverse("invitation_ask", args=[invitation.pk])
    return client.post(url, {"generation": generation}, follow=True)


def ended(state: State) -> Callable[[Invitation], None]:
    def end(invitation: Invitation) -> None:
        Invitation.objects.filter(pk=invitation.pk).update(state=state, decided_at=timezone.now())

    return end


def outlive(invitation: Invitation) -> None:
    Organization.objects.filter(pk=invitation.organization_id).update(invitation_max_age_days=1)
    Invitation.objects.filter(pk=invitation.pk).update(sent_at=timezone.now() - timedelta(days=2))


def send_again(invitation: Invitation) -> None:
    Invitation.objects.filter(pk=invitation.pk).update(generation=2)


DEATHS: dict[str, Callable[[Invitation], None]] = {
    "used": ended(State.ACCEPTED),
    "declined": ended(State.DECLINED),
    "revoked": ended(State.REVOKED),
    "expired": outlive,
    "older than a resend": send_again,
}


def asked_mails() -> list[str]:
    mails = OutgoingEmail.objects.filter(kind="invitation_asked").order_by("to")
    return list(mails.values_list("to", flat=True))


def billing(client: Client, organization: Organization) -> str:
    return text(client.get(reverse("billing", args=[organization.slug])))


def send_anew(client: Client, invitation: Invitation) -> str:
    """Press the row's button, as the page shows it now."""
    url = reverse("invitation_resend", args=[invitation.organization.slug, invitation.pk])
    assert url in billing(client, invitation.organization)
    generation = Invitation.objects.get(pk=invitation.pk).generation
    return text(client.post(url, {"generation": generation}, follow=True))


@pytest.mark.parametrize("death", sampled(list(DEATHS), every=2))
def test_a_dead_link_asks_in_one_press_and_is_answered_in_one(death: str, admin: Membership) -> None:
    invitation = InvitationFactory(organization=admin.organization, inviter=admin)
    client = opened(by_mail(invitation))
    DEATHS[death](invitation)
    page = client.get(page_of(invitation))
    assert page.status_code == 410
    assert BUTTON in text(page)
    assert "A new invitation is asked for" in text(ask(client, invitation))
    assert asked_mails() == [admin.user.email]

    inviter = signed_in(admin.user)
    assert f"{invitation.email} asked for a new one" in billing(inviter, admin.organization)
    Invitation.objects.filter(state=State.PENDING).update(sent_at=timezone.now() - timedelta(minutes=5))
    assert f"Invitation sent to {invitation.email} again." in send_anew(inviter, invitation)
    assert "asked for a new one" not in billing(inviter, admin.organization)
    assert Invitation.objects.get(pk=invitation.pk).asked_for == ""
    waiting = Invitation.objects.pending().get(email=invitation.email)
    assert accept(opened(by_mail(waiting), signed_in(UserFactory(email=waiting.email))), waiting).url


def test_a_second_press_and_another_browser_send_no_second_mail_that_day(admin: Membership) -> None:
    invitation = InvitationFactory(organization=admin.organization, inviter=admin)
    ended(State.REVOKED)(invitation)
    answers = {text(ask(opened(by_mail(invitation)), invitation)).count("is asked for") for _ in range(3)}
    assert len(answers) == 1
    assert len(asked_mails()) == 1
    assert AuditEvent.objects.filter(action="invitation.asked").count() == 1
    send_anew(signed_in(admin.user), invitation)
    ask(opened(by_mail(invitation)), invitation)
    assert len(asked_mails()) == 1
    Invitation.objects.filter(pk=invitation.pk).update(asked_at=timezone.now() - timedelta(days=1))
    ask(opened(by_mail(invitation)), invitation)
    assert len(asked_mails()) == 2


def test_without_its_inviter_the_admins_are_asked(admin: Membership) -> None:
    left = MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    invitation = InvitationFactory(organization=admin.organization, inviter=left)
    client = opened(by_mail(invitation), signed_in(UserFactory(email=invitation.email)))
    Membership.objects.filter(pk=left.pk).update(role=Role.MEMBER)
    refused = accept(client, invitation)
    assert refused.status_code == 409
    assert BUTTON in text(refused)
    ask(client, invitation)
    assert asked_mails() == [admin.user.email]


def test_a_mailed_link_asks_its_inviter_alone_and_for_its_own_address(admin: Membership) -> None:
    MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    invitation = InvitationFactory(organization=admin.organization, inviter=admin)
    ended(State.REVOKED)(invitation)
    services.ask_for_new(claim=by_mail(invitation), user=UserFactory())
    invitation.refresh_from_db()
    assert (invitation.asked_for, asked_mails()) == (invitation.email, [admin.user.email])


def test_a_link_asks_for_the_verified_address_of_the_account(admin: Membership) -> None:
    invitation = InvitationFactory(organization=admin.organization, inviter=admin, kind=Kind.LINK)
    ended(State.REVOKED)(invitation)
    anonymous = opened(by_link(invitation))
    page = text(anonymous.get(page_of(invitation)))
    assert BUTTON not in page
    assert "Sign in to ask for a new one" in page
    ask(anonymous, invitation)
    ask(opened(by_link(invitation), signed_in(UserFactory(verified=False))), invitation)
    assert asked_mails() == []
    ask(opened(by_link(invitation), signed_in(UserFactory(email="lee@ledger.test"))), invitation)
    client = signed_in(admin.user)
    assert "lee@ledger.test asked for a new one" in billing(client, admin.organization)
    send_anew(client, invitation)
    assert Invitation.objects.pending().get().email == "lee@ledger.test"


def test_what_can_still_be_accepted_is_not_asked_for(admin: Membership) -> None:
    invitation = InvitationFactory(organization=admin.organization, inviter=admin)
    ask(opened(by_mail(invitation)), invitation)
    assert asked_mails() == []


@pytest.mark.parametrize("with_account", [False, True])
def test_the_log_tells_who_asked(with_account: bool) -> None:
    invitation, user = InvitationFactory(), UserFactory()
    ended(State.REVOKED)(invitation)
    services.ask_for_new(claim=by_mail(invitation), user=user if with_account else None)
    event = AuditEvent.objects.get(action="invitation.asked")
    asked_by = (user.pk, display_name(user)) if with_account else (None, invitation.email)
    assert (event.actor_id, event.actor_name) == asked_by


def test_nobody_asks_without_the_link() -> None:
    invitation = InvitationFactory()
    ended(State.REVOKED)(invitation)
    for client in (Client(), signed_in(UserFactory())):
        assert ask(client, invitation).status_code == 404
    assert asked_mails() == []


def test_who_asks_again_and_again_is_told_to_wait(admin: Membership, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.ACCOUNT_RATE_LIMITS, "invitation_ask", "1/m/ip")
    invitation = InvitationFactory(organization=admin.organization, inviter=admin)
    client = opened(by_mail(invitation))
    ended(State.REVOKED)(invitation)
    assert [ask(client, invitation).status_code for _press in range(2)] == [200, 429]


def test_the_answer_does_not_tell_who_is_in_the_organization(admin: Membership) -> None:
    """The invited address may be a member's by now, an account's or nobody's."""
    answers = set()
    for email in (
        "nobody@ledger.test",
        UserFactory().email,
        MembershipFactory(organization=admin.organization).user.email,
    ):
        invitation = InvitationFactory(organization=admin.organization, inviter=admin, email=email)
        ended(State.REVOKED)(invitation)
        answers.add(
            text(ask(opened(by_mail(invitation)), invitation)).partition("<main")[2].partition("</main")[0]
        )
    assert len(answers) == 1


def test_a_request_is_shown_for_a_time_and_to_those_who_may_invite(
    admin: Membership, billing_manager: Membership, sign_in: SignIn
) -> None:
    invitation = InvitationFactory(organization=admin.organization, inviter=admin)
    ended(State.DECLINED)(invitation)
    ask(opened(by_mail(invitation)), invitation)
    assert invitation.email not in billing(sign_in(billing_manager), admin.organization)
    assert invitation.email in billing(sign_in(admin), admin.organization)
    Invitation.objects.filter(pk=invitation.pk).update(asked_at=timezone.now() - ASKED_SHOWN)
    assert invitation.email not in billing(sign_in(admin), admin.organization)


def test_a_dead_invitation_that_nobody_asked_for_is_not_sent_anew(admin: Membership) -> None:
    invitation = InvitationFactory(organization=admin.organization, inviter=admin)
    ended(State.REVOKED)(invitation)
    url = reverse("invitation_resend", args=[admin.organization.slug, invitation.pk])
    answer = signed_in(admin.user).post(url, {"generation": 1}, follow=True)
    assert "This invitation is no longer pending. Its state now: Revoked." in text(answer)
    assert not OutgoingEmail.objects.exists()


@pytest.mark.parametrize(
    ("kind", "asked_for", "offered"),
    [(Kind.LINK, "lee@ledger.test", True), (Kind.LINK, "", False), (Kind.MAIL, "lee@ledger.test", False)],
)
def test_of_what_is_pending_a_link_that_is_asked_for_offers_a_new_invitation(
    kind: Kind, asked_for: str, offered: bool, admin: Membership
) -> None:
    InvitationFactory(organization=admin.organization, inviter=admin, kind=kind, asked_for=asked_for)
    (row,) = pending_invitations(admin, Role.BILLING_MANAGER).shown
    assert row.menu.may_send_new is offered


def test_a_row_says_until_when_it_can_be_accepted_or_how_it_ended(admin: Membership) -> None:
    now = timezone.now()
    Organization.objects.update(invitation_max_age_days=7)
    admin.refresh_from_db()
    live, overdue, revoked = (
        InvitationFactory(organization=admin.organization, inviter=admin, sent_at=now - timedelta(days=days))
        for days in (0, 8, 1)
    )
    ended(State.REVOKED)(revoked)
    Invitation.objects.filter(pk=revoked.pk).update(asked_at=now, asked_for=revoked.email)
    rows = pending_invitations(admin, Role.BILLING_MANAGER).shown
    assert {row.id: (row.ended, row.expires_at) for row in rows} == {
        str(live.pk): ("", now + timedelta(days=7)),
        str(overdue.pk): ("", None),
        str(revoked.pk): ("Revoked", None),
    }


def test_where_no_place_is_left_a_request_is_shown_without_a_button(admin: Membership) -> None:
    Organization.objects.filter(pk=admin.organization_id).update(edition_code="team-growth")
    invitation = InvitationFactory(organization=admin.organization, inviter=admin)
    ended(State.REVOKED)(invitation)
    ask(opened(by_mail(invitation)), invitation)
    MembershipFactory(organization=admin.organization, role=Role.BILLING_MANAGER)
    page = billing(signed_in(admin.user), admin.organization)
    assert f"{invitation.email} asked for a new one" in page
    assert "Send new invitation" not in page
    assert f'popovertarget="menu-{invitation.pk}"' not in page


def test_of_what_closes_nobody_is_asked_for_a_new_one(admin: Membership) -> None:
    invitation = InvitationFactory(organization=admin.organization, inviter=admin)
    client = opened(by_mail(invitation))
    ended(State.REVOKED)(invitation)
    Organization.objects.update(closes_after=timezone.now().date())
    for page in (text(client.get(page_of(invitation))), text(ask(client, invitation))):
        assert BUTTON not in page
        assert "At the moment nobody can be invited to" in page
    assert not asked_mails()
    assert not AuditEvent.objects.filter(action="invitation.asked").exists()


def test_where_nobody_can_be_asked_the_page_names_support(organization: Organization) -> None:
    """As of an organization that the product has made, before its first admin accepts."""
    invitation = InvitationFactory(
        organization=organization, role=Role.ADMIN, of_no_person=True, invited_by=None
    )
    Membership.objects.all().delete()
    client = opened(by_mail(invitation))
    ended(State.REVOKED)(invitation)
    page = text(client.get(page_of(invitation)))
    assert BUTTON not in page
    assert f"write to {settings.SUPPORT_EMAIL}" in page
    assert "is asked for" not in text(ask(client, invitation))
    assert Invitation.objects.get().asked_for == ""
    MembershipFactory(organization=organization, role=Role.ADMIN)
    assert BUTTON in text(client.get(page_of(invitation)))
