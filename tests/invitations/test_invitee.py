"""The way of an invited person through the URLs: link, sign-up or sign-in, accept or decline.

One mutant of ``selectors/invitee.py`` is the same program: a role for who accepted an invitation that isn't
accepted, which a constraint of the table forbids.
"""

import re

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.http import HttpResponse
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from invitations import services
from invitations.claims import Channel, Claim, link
from invitations.models import Invitation, Kind, State
from invitations.selectors.invitee import Visitor, invitation_page
from orgs.models import Membership
from orgs.policy import Role
from outbox.models import OutgoingEmail
from tests.conftest import SignIn
from tests.factories import PASSWORD, MembershipFactory, UserFactory
from tests.invitations.claims import by_link, by_mail
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import accept, decline, page_of, start_of, text
from tests.world import signed_in

pytestmark = pytest.mark.django_db


def path_of(claim: Claim) -> str:
    return "/invitations/" + link(claim).partition("/invitations/")[2]


def opened(claim: Claim, client: Client | None = None) -> Client:
    client = client or Client()
    assert client.get(path_of(claim)).status_code == 302
    return client


def sign_up(client: Client, email: str, name: str = "Lee Doe") -> HttpResponse:
    return client.post(
        "/accounts/signup/", {"email": email, "password1": "a long enough pass phrase", "name": name}
    )


def test_a_link_leads_to_an_address_without_the_token_and_is_kept_from_referrers() -> None:
    invitation = InvitationFactory()
    client = Client()
    response = client.get(path_of(by_mail(invitation)))
    assert (response.status_code, response.headers["Location"]) == (302, page_of(invitation))
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert client.get(page_of(invitation)).headers["Referrer-Policy"] == "same-origin"
    token = path_of(by_mail(invitation)).split("/")[2]
    assert token not in str(dict(client.session))


def test_the_page_shows_organization_role_and_inviter() -> None:
    invitation = InvitationFactory()
    page = text(opened(by_mail(invitation)).get(page_of(invitation)))
    for part in (
        invitation.organization.name,
        "Billing manager",
        invitation.invited_by_name,
        invitation.email,
    ):
        assert part in page
    assert "Create account" in page
    assert "Accept invitation" not in page


def test_a_copied_link_does_not_show_the_invited_address() -> None:
    invitation = InvitationFactory()
    assert invitation.email not in text(opened(by_link(invitation)).get(page_of(invitation)))


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_looking_changes_nothing(method: str) -> None:
    invitation = InvitationFactory()
    client, page = signed_in(UserFactory(email=invitation.email)), page_of(invitation)
    for path in [path_of(by_mail(invitation)), page, f"{page}accept/", f"{page}decline/"] * 3:
        getattr(client, method)(path)
    invitation.refresh_from_db()
    assert invitation.state == State.PENDING
    assert not OutgoingEmail.objects.exists()


WHOLE = "m" + "A" * 22 + "1." + "A" * 43


@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        ("x", "This link is incomplete"),
        (WHOLE[:-1], "This link is incomplete"),
        (WHOLE[1:], "This link is incomplete"),
        (WHOLE, "This link no longer works"),
    ],
)
def test_a_wrong_link_is_not_found_and_says_what_to_do(token: str, sentence: str) -> None:
    response = Client().get(f"/invitations/{token}/")
    assert response.status_code == 404
    assert sentence in text(response)
    assert "sk the person who invited you for a new one" in text(response)
    assert response.headers["Referrer-Policy"] == "no-referrer"


def test_a_link_of_a_retired_key_says_that_a_new_one_is_needed() -> None:
    invitation = InvitationFactory()
    with override_settings(INVITATION_SIGNING_KEYS=["a-key-that-leaked"]):
        path = path_of(by_mail(invitation))
    response = Client().get(path)
    assert "This link no longer works" in text(response)
    assert "Ask the person who invited you for a new one." in text(response)


def test_without_a_link_no_invitation_is_open() -> None:
    response = Client().get(page_of(InvitationFactory()))
    assert response.status_code == 404
    assert "Open the link in your invitation mail again" in text(response)


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (State.ACCEPTED, "was used already"),
        (State.REVOKED, "was withdrawn"),
        (State.DECLINED, "was declined"),
        (State.EXPIRED, "has expired"),
    ],
)
def test_a_dead_invitation_is_gone_and_says_how_to_get_a_new_one(state: State, sentence: str) -> None:
    invitation = InvitationFactory(state=state, decided_at=timezone.now())
    response = opened(by_mail(invitation)).get(page_of(invitation))
    assert response.status_code == 410
    assert sentence in text(response)
    assert "Ask an admin of" in text(response)


def test_the_link_before_a_resend_is_gone() -> None:
    invitation = InvitationFactory(generation=2)
    response = opened(Claim(invitation.pk, 1, Channel.MAIL)).get(page_of(invitation))
    assert response.status_code == 410
    assert "A newer link has replaced this one" in text(response)


def test_an_overtaken_link_stands_in_no_invited_accounts_way() -> None:
    invitation = InvitationFactory(generation=2)
    client = opened(Claim(invitation.pk, 1, Channel.MAIL), signed_in(UserFactory(email=invitation.email)))
    assert "Accept invitation" in text(client.get(page_of(invitation)))


@pytest.mark.parametrize("state", [State.PENDING, State.ACCEPTED])
def test_who_belongs_by_another_way_has_not_joined_by_the_invitation(state: State) -> None:
    ended = {"accepted_by": UserFactory(), "decided_at": timezone.now()} if state == State.ACCEPTED else {}
    invitation = InvitationFactory(state=state, **ended)
    member = MembershipFactory(organization=invitation.organization)
    assert invitation_page(user=member.user, claim=by_mail(invitation)).joined_as == ""


def test_a_link_for_anybody_invites_every_account() -> None:
    invitation = InvitationFactory(kind=Kind.LINK)
    page = invitation_page(user=UserFactory(), claim=by_link(invitation))
    assert page.visitor is Visitor.INVITED


def test_a_new_person_signs_up_in_one_form_without_a_second_mail_and_accepts() -> None:
    invitation = InvitationFactory()
    client = opened(by_mail(invitation))
    form = text(client.get("/accounts/signup/"))
    field = re.search(r"<input[^>]*name=\"email\"[^>]*>", form)
    assert field is not None
    assert f'value="{invitation.email}"' in field[0]
    assert "readonly" in field[0]
    response = sign_up(client, invitation.email)
    assert (response.status_code, response.headers["Location"]) == (302, page_of(invitation))
    assert EmailAddress.objects.get(email=invitation.email).verified
    assert not OutgoingEmail.objects.filter(to=invitation.email).exists()
    assert "Accept invitation" in text(client.get(page_of(invitation)))
    joined = accept(client, invitation, follow=True)
    assert joined.redirect_chain[-1][0] == start_of(invitation)
    assert Membership.objects.get(user__email=invitation.email).role == Role.BILLING_MANAGER
    assert f"You joined {invitation.organization.name} as billing manager." in text(joined)


def test_signing_up_with_another_address_than_the_invited_proves_nothing() -> None:
    invitation = InvitationFactory()
    client = opened(by_mail(invitation))
    sign_up(client, "somebody@else.test")
    assert not EmailAddress.objects.get(email="somebody@else.test").verified
    assert not invitation.holders.exists()
    assert OutgoingEmail.objects.filter(to="somebody@else.test").count() == 1


def test_an_admin_who_signs_up_over_a_copied_link_does_not_become_the_addresss_owner() -> None:
    admin = MembershipFactory(role=Role.ADMIN)
    invitation = services.invite_by_mail(actor=admin, email="stranger@ledger.test", role=Role.BILLING_MANAGER)
    url = services.copy_link(actor=admin, invitation_id=invitation.pk)
    client = Client()
    client.get("/invitations/" + url.partition("/invitations/")[2])
    form = text(client.get("/accounts/signup/"))
    assert "stranger@ledger.test" not in form
    sign_up(client, "stranger@ledger.test")
    assert not EmailAddress.objects.get(email="stranger@ledger.test").verified
    accept(client, invitation)
    assert not Membership.objects.filter(user__email="stranger@ledger.test").exists()


def test_a_revoked_invitation_proves_no_address() -> None:
    invitation = InvitationFactory()
    client = opened(by_mail(invitation))
    Invitation.objects.filter(pk=invitation.pk).update(state=State.REVOKED, decided_at=timezone.now())
    sign_up(client, invitation.email)
    assert not EmailAddress.objects.get(email=invitation.email).verified


def test_an_older_link_proves_no_address() -> None:
    invitation = InvitationFactory()
    client = opened(by_mail(invitation))
    Invitation.objects.filter(pk=invitation.pk).update(generation=2)
    sign_up(client, invitation.email)
    assert not EmailAddress.objects.get(email=invitation.email).verified


def test_signing_in_leads_back_to_the_invitation() -> None:
    invitation = InvitationFactory()
    UserFactory(email=invitation.email)
    client = opened(by_mail(invitation))
    response = client.post("/accounts/login/", {"login": invitation.email, "password": PASSWORD})
    assert (response.status_code, response.headers["Location"]) == (302, page_of(invitation))


def test_without_an_invitation_signing_in_leads_to_the_start() -> None:
    user = UserFactory()
    response = Client().post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert response.headers["Location"] == "/"


def test_an_ended_invitation_holds_nobody_up_at_sign_in() -> None:
    invitation = InvitationFactory(state=State.REVOKED, decided_at=timezone.now())
    user = UserFactory()
    client = opened(by_mail(invitation))
    response = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert response.headers["Location"] == "/"


def test_the_wrong_account_is_told_whom_it_is_for_and_signs_out_without_losing_the_invitation() -> None:
    invitation = InvitationFactory()
    client = opened(by_mail(invitation), signed_in(UserFactory()))
    page = text(client.get(page_of(invitation)))
    assert f"This invitation is for {invitation.email}." in page
    assert "Accept invitation" not in page
    response = client.post("/accounts/logout/", {"next": page_of(invitation)}, follow=True)
    assert response.redirect_chain[-1][0] == page_of(invitation)
    assert "Create account" in text(response)


def test_a_copied_link_names_no_address_to_the_wrong_account() -> None:
    invitation = InvitationFactory()
    page = text(opened(by_link(invitation), signed_in(UserFactory())).get(page_of(invitation)))
    assert "This invitation is for another email address." in page
    assert invitation.email not in page


def test_an_unverified_address_is_sent_to_verify_it() -> None:
    invitation = InvitationFactory()
    user = UserFactory()
    EmailAddress.objects.create(user=user, email=invitation.email, verified=False, primary=False)
    page = text(opened(by_mail(invitation), signed_in(user)).get(page_of(invitation)))
    assert "/accounts/email/" in page
    assert "Accept invitation" not in page


def test_a_refused_acceptance_is_explained_and_kept() -> None:
    invitation = InvitationFactory(organization__edition_code="team-growth")
    MembershipFactory(organization=invitation.organization, role=Role.BILLING_MANAGER)
    client = opened(by_mail(invitation), signed_in(UserFactory(email=invitation.email)))
    response = accept(client, invitation)
    assert response.status_code == 409
    assert "has no place left on its edition" in text(response)
    invitation.refresh_from_db()
    assert (invitation.state, invitation.last_error) == (State.PENDING, "no_room")


def test_a_member_keeps_his_role_and_learns_why() -> None:
    invitation = InvitationFactory()
    user = UserFactory(email=invitation.email)
    MembershipFactory(organization=invitation.organization, user=user, role=Role.MEMBER)
    response = accept(opened(by_mail(invitation), signed_in(user)), invitation)
    assert response.status_code == 409
    assert "a person has one role" in text(response)
    assert Membership.objects.get(user=user).role == Role.MEMBER


def test_accepting_what_ended_meanwhile_shows_why() -> None:
    invitation = InvitationFactory()
    client = opened(by_mail(invitation), signed_in(UserFactory(email=invitation.email)))
    Invitation.objects.filter(pk=invitation.pk).update(state=State.REVOKED, decided_at=timezone.now())
    response = accept(client, invitation, follow=True)
    assert response.status_code == 410
    assert "was withdrawn" in text(response)


def test_opening_the_link_again_after_accepting_leads_to_the_organization() -> None:
    invitation = InvitationFactory()
    client = opened(by_mail(invitation), signed_in(UserFactory(email=invitation.email)))
    accept(client, invitation)
    response = opened(by_mail(invitation), client).get(page_of(invitation))
    assert response.headers["Location"] == start_of(invitation)


def test_nobody_accepts_without_signing_in() -> None:
    invitation = InvitationFactory(kind=Kind.LINK)
    response = accept(opened(by_link(invitation)), invitation)
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/accounts/login/")
    invitation.refresh_from_db()
    assert invitation.state == State.PENDING


def test_accepting_needs_a_claim_of_this_browser() -> None:
    invitation = InvitationFactory()
    response = accept(signed_in(UserFactory()), invitation, follow=True)
    assert response.status_code == 404
    assert "No invitation is open here" in text(response)
    assert not Membership.objects.exclude(user=invitation.invited_by).exists()


def test_accepting_needs_the_forms_token() -> None:
    invitation = InvitationFactory()
    client = Client(enforce_csrf_checks=True)
    client.force_login(UserFactory(email=invitation.email))
    opened(by_mail(invitation), client)
    assert accept(client, invitation).status_code == 403


def test_accepting_takes_at_most_sixteen_statements() -> None:
    invitation = InvitationFactory(organization__edition_code="team-growth")
    client = opened(by_mail(invitation), signed_in(UserFactory(email=invitation.email)))
    with CaptureQueriesContext(connection) as statements:
        assert accept(client, invitation).status_code == 302
    control = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")
    assert len([q for q in statements if not q["sql"].startswith(control)]) <= 16


def test_declining_asks_first_and_takes_a_message() -> None:
    invitation = InvitationFactory()
    client = opened(by_mail(invitation))
    assert "Decline the invitation to" in text(client.get(f"{page_of(invitation)}decline/"))
    response = decline(client, invitation, "Not me.")
    assert "You declined the invitation" in text(response)
    invitation.refresh_from_db()
    assert (invitation.state, invitation.decline_message) == (State.DECLINED, "Not me.")
    assert "was declined" in text(client.get(page_of(invitation)))


def test_a_long_message_is_refused_and_kept_in_the_form() -> None:
    invitation = InvitationFactory()
    response = decline(opened(by_mail(invitation)), invitation, "x" * 501)
    assert response.status_code == 422
    assert "x" * 501 in text(response)
    invitation.refresh_from_db()
    assert invitation.state == State.PENDING


def test_what_ended_cannot_be_declined() -> None:
    invitation = InvitationFactory(state=State.REVOKED, decided_at=timezone.now())
    response = decline(opened(by_mail(invitation)), invitation, "", follow=True)
    assert response.status_code == 410


def test_a_person_opens_what_waits_for_his_verified_address() -> None:
    invitation = InvitationFactory()
    client = signed_in(UserFactory(email=invitation.email))
    assert page_of(invitation) in text(client.get("/orgs/"))
    assert "Accept invitation" in text(client.get(page_of(invitation)))
    assert accept(client, invitation).status_code == 302
    assert Membership.objects.filter(user__email=invitation.email).exists()


@pytest.mark.parametrize("verified", [True, False])
def test_a_person_opens_nobody_elses_invitation(verified: bool) -> None:
    invitation = InvitationFactory()
    other = UserFactory(**({} if verified else {"email": invitation.email, "verified": False}))
    client = signed_in(other)
    assert client.get(page_of(invitation)).status_code == 404
    assert accept(client, invitation, follow=True).status_code == 404
    assert decline(client, invitation, follow=True).status_code == 404
    invitation.refresh_from_db()
    assert invitation.state == State.PENDING


def test_what_was_opened_by_the_account_is_closed_by_signing_out() -> None:
    invitation = InvitationFactory()
    client = signed_in(UserFactory(email=invitation.email))
    assert client.get(page_of(invitation)).status_code == 200
    client.post("/accounts/logout/")
    assert client.get(page_of(invitation)).status_code == 404


@override_settings(ALLOWED_HOSTS=["*"])
def test_the_host_of_a_request_names_no_link(admin: Membership, sign_in: SignIn) -> None:
    url = services.create_link(actor=admin, role=Role.MEMBER)
    response = sign_in(admin).post(
        f"/orgs/{admin.organization.slug}/settings/billing/managers/link/", headers={"host": "evil.test"}
    )
    assert "evil.test/invitations" not in text(response)
    assert url.split("/invitations/")[0] + "/invitations/" in text(response)
