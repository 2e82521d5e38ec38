"""What waits for a person: on the list of organizations, counted on every page, kept for a new account.

Whatever stood in place of the 0 for no count would be the same program, as COUNT answers with a row always.
"""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.test import Client
from django.utils import timezone

from bench.statements import sent_statements
from invitations.models import Invitation, Kind, State
from invitations.selectors import invitations_for, person_with_invitations
from orgs.models import Membership
from orgs.policy import Role
from outbox.models import OutgoingEmail
from outbox.registry import renderer_of
from tests.factories import PASSWORD, MembershipFactory, UserFactory
from tests.invitations.claims import by_link, by_mail
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import accept, page_of, start_of, text
from tests.invitations.test_invitee import opened, sign_up
from tests.world import signed_in

pytestmark = pytest.mark.django_db

LIST = "/orgs/"


def press(client: Client, invitation: Invitation, act: str) -> str:
    """Press the button of that invitation on the list of organizations, and read the page that follows."""
    page = client.get(LIST).content.decode()
    form = re.search(rf'<form[^>]*action="({page_of(invitation)}{act}/)".*?</form>', page, re.DOTALL)
    assert form is not None
    fields = re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', form[0])
    return text(client.post(form[1], dict(fields), follow=True))


def test_one_press_on_the_list_accepts() -> None:
    invitation, other = (InvitationFactory(email="lee@ledger.test") for _ in range(2))
    client = signed_in(UserFactory(email="lee@ledger.test"))
    assert f"You joined {invitation.organization.name} as billing manager." in press(
        client, invitation, "accept"
    )
    other.refresh_from_db()
    assert other.state == State.PENDING
    assert Membership.objects.get(user__email="lee@ledger.test").organization == invitation.organization


def test_one_press_on_the_list_declines() -> None:
    invitation = InvitationFactory()
    client = signed_in(UserFactory(email=invitation.email))
    assert "You declined the invitation" in press(client, invitation, "decline")
    assert invitation.organization.name not in text(client.get(LIST))


def test_the_list_says_who_invites_to_what_and_until_when() -> None:
    invitation = InvitationFactory(organization__invitation_max_age_days=7)
    page = text(signed_in(UserFactory(email=invitation.email)).get(LIST))
    for part in (invitation.invited_by_name, invitation.organization.name, "as billing manager", "Expires"):
        assert part in page
    assert "card, subscription, payments and invoices" in page


# --- The counter ---------------------------------------------------------------------------------------


def counted(membership: Membership) -> int:
    (person,) = person_with_invitations(membership.user_id)
    return person.waiting_invitations  # type: ignore[attr-defined]  # annotated


@pytest.fixture
def person() -> Membership:
    return MembershipFactory(user__email="lee@ledger.test")


def test_the_latest_stands_first_and_all_are_read_at_once(person: Membership) -> None:
    now = timezone.now()
    older, latest, oldest = (
        InvitationFactory(email=person.user.email, sent_at=now - timedelta(days=days)) for days in (2, 1, 3)
    )
    with sent_statements() as statements:
        waiting = invitations_for(person.user)
    assert [one.id for one in waiting] == [latest.pk, older.pk, oldest.pk]
    assert len(statements) == 1


def test_every_page_of_the_person_counts_what_waits(person: Membership) -> None:
    pages = (LIST, "/accounts/profile/", f"/orgs/{person.organization.slug}/")
    client = signed_in(person.user)
    counter = re.compile(r'class="count"> 2 <span class="visually-hidden"> invitations')
    for page in pages:
        assert not counter.search(text(client.get(page)))
    for _number in range(2):
        InvitationFactory(email="lee@ledger.test")
    for page in pages:
        assert counter.search(text(client.get(page))), page


def test_counting_takes_no_statement_of_its_own(person: Membership) -> None:
    client, page = signed_in(person.user), f"/orgs/{person.organization.slug}/"
    client.get(page)
    with sent_statements() as none_waits:
        client.get(page)
    InvitationFactory(email="lee@ledger.test")
    with sent_statements() as one_waits:
        client.get(page)
    assert len(one_waits) == len(none_waits)


NOT_WAITING = {
    "to another address": {"email": "kim@ledger.test"},
    "revoked": {"state": State.REVOKED, "decided_at": timezone.now()},
    "accepted": {"state": State.ACCEPTED, "decided_at": timezone.now()},
    "past its age": {
        "organization__invitation_max_age_days": 3,
        "sent_at": timezone.now() - timedelta(days=4),
    },
    "a link that they never opened": {"kind": Kind.LINK, "email": ""},
}


@pytest.mark.parametrize("why", NOT_WAITING)
def test_what_they_cannot_answer_is_not_counted(why: str, person: Membership) -> None:
    InvitationFactory(**{"email": "lee@ledger.test", **NOT_WAITING[why]})
    assert counted(person) == 0
    InvitationFactory(
        email="lee@ledger.test", sent_at=timezone.now() - timedelta(days=4), organization__name="Old"
    )
    assert counted(person) == 1


def test_an_address_that_is_not_verified_counts_nothing(person: Membership) -> None:
    InvitationFactory(email="lee@ledger.test")
    EmailAddress.objects.update(verified=False)
    assert counted(person) == 0


def test_a_person_whose_account_was_shut_is_nobody(person: Membership) -> None:
    client = signed_in(person.user)
    person.user.is_active = False
    person.user.save()
    assert client.get(LIST).status_code == 302


# --- A new account -------------------------------------------------------------------------------------


def heading(client: Client) -> str:
    found = re.search(r"<h1>(.*?)</h1>", text(client.get("/accounts/signup/")))
    assert found is not None
    return found[1].strip()


@pytest.mark.parametrize("role", list(Role))
def test_the_form_of_a_new_account_says_what_it_joins(role: Role) -> None:
    invitation = InvitationFactory(organization__name="Acme Robotics", role=role)
    assert heading(Client()) == "Create your account"
    assert (
        heading(opened(by_mail(invitation)))
        == f"Create your account to join Acme Robotics as {role.in_sentence}"
    )


def test_over_a_copied_link_of_a_mailed_invitation_no_address_is_told() -> None:
    invitation = InvitationFactory()
    page = text(opened(by_link(invitation)).get("/accounts/signup/"))
    assert invitation.email not in page
    assert "The invitation is for one address: use that one." in page


def verify(address: str, client: Client) -> None:
    """Open the mail's link in a browser, and press its button."""
    key = EmailConfirmationHMAC(EmailAddress.objects.get(email=address)).key
    client.post(f"/accounts/confirm-email/{key}/")


def test_whoever_joins_by_a_link_ends_on_accept_in_whatever_browser_the_mail_is_opened() -> None:
    invitation = InvitationFactory(kind=Kind.LINK)
    sign_up(opened(by_link(invitation)), "lee@ledger.test")
    phone = Client()
    verify("lee@ledger.test", phone)
    answer = phone.post(
        "/accounts/login/", {"login": "lee@ledger.test", "password": "a long enough pass phrase"}, follow=True
    )
    assert answer.redirect_chain[-1][0] == page_of(invitation)
    assert "Accept invitation" in text(answer)
    assert accept(phone, invitation).headers["Location"] == start_of(invitation)


def test_the_mail_that_verifies_an_address_opens_no_invitation() -> None:
    """The address may be mistyped, and anyone with the link can join."""
    invitation = InvitationFactory(kind=Kind.LINK)
    sign_up(opened(by_link(invitation)), "mistyped@ledger.test")
    mail = OutgoingEmail.objects.get(to="mistyped@ledger.test")
    assert "/invitations/" not in renderer_of(mail.kind)(mail).text
    assert str(invitation.pk) not in str(mail.params)


def test_a_held_link_is_open_to_its_account_alone_and_gone_once_used() -> None:
    invitation = InvitationFactory(kind=Kind.LINK)
    sign_up(opened(by_link(invitation)), "lee@ledger.test")
    holder = EmailAddress.objects.get(email="lee@ledger.test").user
    assert signed_in(UserFactory()).get(page_of(invitation)).status_code == 404
    client = signed_in(holder)
    assert invitation.organization.name in text(client.get(LIST))
    accept(opened(by_link(invitation), signed_in(UserFactory())), invitation)
    assert invitation.organization.name not in text(client.get(LIST))
    assert accept(client, invitation, follow=True).status_code == 410


def test_an_account_that_was_there_before_is_answered_alike() -> None:
    """Whoever invites reads the same, and the invited person has one press to make in both cases."""
    invitation = InvitationFactory(email="lee@ledger.test")
    UserFactory(email="lee@ledger.test")
    client = Client()
    answer = client.post("/accounts/login/", {"login": "lee@ledger.test", "password": PASSWORD}, follow=True)
    assert answer.redirect_chain[-1][0] == page_of(invitation)
    assert "Accept invitation" in text(answer)
