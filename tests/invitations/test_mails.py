"""The mails about invitations, as the worker renders them."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from invitations import services
from invitations.claims import Channel, Claim, claim_in
from invitations.models import Invitation, Kind, State
from orgs.models import Membership
from orgs.policy import Role
from outbox.models import OutgoingEmail
from outbox.registry import NoLongerNeeded, RenderedMail, renderer_of
from tests.factories import UserFactory
from tests.invitations.claims import by_link, by_mail
from tests.invitations.factories import InvitationFactory

pytestmark = pytest.mark.django_db


def rendered(kind: str) -> RenderedMail:
    mail = OutgoingEmail.objects.filter(kind=kind).latest("created_at")
    return renderer_of(kind)(mail)


def sent(admin: Membership, role: Role = Role.BILLING_MANAGER) -> Invitation:
    return services.invite_by_mail(actor=admin, email="lee@ledger.test", role=role)


def test_the_invitation_names_inviter_organization_and_role_and_links_to_the_site(
    admin: Membership, settings: object
) -> None:
    settings.SITE_URL = "https://portal.example"  # type: ignore[attr-defined] - pytest-django's settings
    invitation = sent(admin)
    mail = rendered("invitation_sent")
    assert mail.subject == (f"{admin.user.name} invites you to {admin.organization.name} as billing manager")
    for body in (mail.text, mail.html):
        found = re.search(r"https://portal\.example/invitations/([\w.-]+)/", body)
        assert found is not None
        assert claim_in(found[1]) == Claim(invitation.pk, 1, Channel.MAIL)
        assert "Billing &amp; usage" in body or "Billing & usage" in body


def test_no_row_holds_a_link(admin: Membership) -> None:
    sent(admin)
    mail = OutgoingEmail.objects.get()
    assert set(mail.params) == {"invitation_id", "generation", "organization", "slug", "actor"}


def test_when_it_expires_is_told(admin: Membership) -> None:
    admin.organization.invitation_max_age_days = 7
    admin.organization.save()
    invitation = sent(admin)
    assert f"{invitation.sent_at + timedelta(days=7):%B %Y, %H:%M}" in rendered("invitation_sent").text


@pytest.mark.parametrize(
    "change",
    [{"state": State.REVOKED, "decided_at": timezone.now()}, {"generation": 2}],
    ids=["revoked", "resent"],
)
def test_a_mail_whose_link_is_dead_already_is_not_sent(admin: Membership, change: dict[str, object]) -> None:
    invitation = sent(admin)
    Invitation.objects.filter(pk=invitation.pk).update(**change)
    with pytest.raises(NoLongerNeeded):
        rendered("invitation_sent")


def test_the_acceptance_names_who_accepted() -> None:
    invitation = InvitationFactory()
    user = UserFactory(email=invitation.email)
    services.accept(user=user, claim=by_mail(invitation))
    mail = rendered("invitation_accepted")
    assert mail.subject == f"{user.name} joined {invitation.organization.name} as billing manager"
    for body in (mail.text, mail.html):
        assert user.email in body
        assert f"/orgs/{invitation.organization.slug}/" in body


def test_the_acceptance_of_a_link_tells_no_address() -> None:
    invitation = InvitationFactory(kind=Kind.LINK)
    user = UserFactory()
    services.accept(user=user, claim=by_link(invitation))
    mail = rendered("invitation_accepted")
    for body in (mail.text, mail.html):
        assert user.name in body
        assert user.email not in body


def test_the_refusal_carries_the_message_as_text() -> None:
    invitation = InvitationFactory()
    services.decline(claim=by_mail(invitation), message="No <b>thanks</b>\nLee")
    mail = rendered("invitation_declined")
    assert "No <b>thanks</b>\nLee" in mail.text
    assert "No &lt;b&gt;thanks&lt;/b&gt;" in mail.html


def test_the_revocation_says_who_withdrew(admin: Membership) -> None:
    invitation = sent(admin)
    services.revoke(actor=admin, invitation_id=invitation.pk)
    mail = rendered("invitation_revoked")
    assert mail.subject == f"Your invitation to {admin.organization.name} was withdrawn"
    assert f"{admin.user.name} withdrew your invitation" in mail.text


@pytest.mark.parametrize(("role", "page"), [(Role.MEMBER, "members"), (Role.BILLING_MANAGER, "billing")])
def test_who_is_asked_for_a_new_invitation_comes_to_the_list_of_the_role(
    admin: Membership, settings: object, role: Role, page: str
) -> None:
    settings.SITE_URL = "https://portal.example"  # type: ignore[attr-defined] - pytest-django's settings
    invitation = sent(admin, role)
    services.revoke(actor=admin, invitation_id=invitation.pk)
    services.ask_for_new(claim=by_mail(invitation), user=None)
    mail = rendered("invitation_asked")
    for body in (mail.text, mail.html):
        assert invitation.email in body
        assert f"https://portal.example/orgs/{admin.organization.slug}/settings/{page}/" in body
