"""Several invitations open in one browser: each form answers the one that its page was drawn for.

One mutant of ``claims.py`` is the same program: without the early answer of ``live_invitations`` for a
browser that has no claims, as ``in_bulk`` asks nothing for no ids.
"""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from invitations.claims import MOST_CLAIMS, Channel, Claim, keep_claim, live_invitations
from invitations.models import Invitation, Kind, State
from orgs.models import Membership, Organization
from orgs.policy import Role
from outbox.models import OutgoingEmail
from tests.factories import UserFactory
from tests.invitations.claims import by_link, by_mail
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import accept, decline, page_of, start_of, text
from tests.invitations.test_invitee import opened, sign_up
from tests.world import signed_in

pytestmark = pytest.mark.django_db


def organizations_of(client: Client) -> set[Organization]:
    memberships = Membership.objects.filter(user_id=client.session["_auth_user_id"])
    return {membership.organization for membership in memberships.select_related("organization")}


def form_in(page: str, action: str) -> tuple[str, dict[str, str]]:
    """The address and the hidden fields of the form that a page shows for an act."""
    form = re.search(rf'<form[^>]*action="([^"]*{action}[^"]*)".*?</form>', page, re.DOTALL)
    assert form is not None
    fields = re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', form[0])
    return form[1], dict(fields)


def drawn_form(client: Client, invitation: Invitation, action: str) -> tuple[str, dict[str, str]]:
    path = page_of(invitation) if action == "accept" else f"{page_of(invitation)}decline/"
    return form_in(client.get(path).content.decode(), action)


@pytest.fixture
def two() -> list[Invitation]:
    """Invitations of one person to two organizations, in two roles."""
    first = InvitationFactory(role=Role.MEMBER, email="lee@ledger.test")
    return [first, InvitationFactory(role=Role.BILLING_MANAGER, email="lee@ledger.test")]


@pytest.fixture
def client(two: list[Invitation]) -> Client:
    """The person's browser, with both open, the second one last."""
    client = signed_in(UserFactory(email="lee@ledger.test"))
    for invitation in two:
        opened(by_mail(invitation), client)
    return client


@pytest.mark.parametrize("pressed", [0, 1])
def test_accept_joins_the_organization_of_its_page(
    pressed: int, two: list[Invitation], client: Client
) -> None:
    forms = [drawn_form(client, invitation, "accept") for invitation in two]
    url, data = forms[pressed]
    response = client.post(url, data)
    assert response.headers["Location"] == start_of(two[pressed])
    assert organizations_of(client) == {two[pressed].organization}
    url, data = forms[1 - pressed]
    client.post(url, data)
    assert organizations_of(client) == {invitation.organization for invitation in two}


@pytest.mark.parametrize("pressed", [0, 1])
def test_a_decline_and_its_message_go_to_the_organization_of_its_page(
    pressed: int, two: list[Invitation], client: Client
) -> None:
    forms = [drawn_form(client, invitation, "decline") for invitation in two]
    url, data = forms[pressed]
    client.post(url, {**data, "message": "Ask somebody else."})
    states = [Invitation.objects.get(pk=invitation.pk).state for invitation in two]
    assert states[pressed] == State.DECLINED
    assert states[1 - pressed] == State.PENDING
    (mail,) = OutgoingEmail.objects.filter(kind="invitation_declined")
    assert mail.organization_id == two[pressed].organization_id


@pytest.mark.parametrize("action", ["accept", "decline"])
@pytest.mark.parametrize("elsewhere", ["another invitation", "its copied link", "its older link"])
def test_a_link_opened_meanwhile_changes_nothing_on_the_open_page(elsewhere: str, action: str) -> None:
    invitation = InvitationFactory(generation=2)
    client = opened(by_mail(invitation), signed_in(UserFactory(email=invitation.email)))
    url, data = drawn_form(client, invitation, action)
    claim = {
        "another invitation": by_mail(InvitationFactory()),
        "its copied link": by_link(invitation),
        "its older link": Claim(invitation.pk, 1, Channel.MAIL),
    }[elsewhere]
    opened(claim, client)
    client.post(url, {**data, "message": ""})
    invitation.refresh_from_db()
    assert invitation.state == {"accept": State.ACCEPTED, "decline": State.DECLINED}[action]
    assert not Invitation.objects.exclude(pk=invitation.pk).exclude(state=State.PENDING).exists()


@pytest.mark.parametrize("action", ["accept", "decline"])
def test_a_page_of_an_overtaken_link_is_shown_anew(action: str) -> None:
    """The invitation was sent again and the newer link opened beside the page."""
    invitation = InvitationFactory()
    client = opened(by_mail(invitation), signed_in(UserFactory(email=invitation.email)))
    url, data = drawn_form(client, invitation, action)
    invitation.generation = 2
    invitation.save()
    opened(by_mail(invitation), client)
    response = client.post(url, {**data, "message": ""}, follow=True)
    assert "so nothing was done. Check it, then try again." in text(response)
    invitation.refresh_from_db()
    assert invitation.state == State.PENDING
    assert form_in(response.content.decode(), "accept")[1]["generation"] == "2"


@pytest.mark.parametrize("data", [{}, {"generation": ""}, {"generation": "2"}, {"generation": "one"}])
def test_a_form_that_does_not_say_what_it_acts_on_does_nothing(data: dict[str, str]) -> None:
    invitation = InvitationFactory()
    client = opened(by_mail(invitation), signed_in(UserFactory(email=invitation.email)))
    for act in ("accept", "decline"):
        response = client.post(f"{page_of(invitation)}{act}/", data, follow=True)
        assert "Accept invitation" in text(response)
    invitation.refresh_from_db()
    assert invitation.state == State.PENDING


# --- Pressed again -------------------------------------------------------------------------------------


def test_accept_pressed_twice_leads_to_the_organization_both_times(
    two: list[Invitation], client: Client
) -> None:
    for _press in range(2):
        response = accept(client, two[0], follow=True)
        assert response.redirect_chain[-1][0] == f"/orgs/{two[0].organization.slug}/"
        assert f"You joined {two[0].organization.name} as member." in text(response)
    assert OutgoingEmail.objects.filter(kind="invitation_accepted").count() == 1


def test_accept_after_decline_says_how_it_stands(two: list[Invitation], client: Client) -> None:
    decline(client, two[0])
    response = accept(client, two[0], follow=True)
    assert response.status_code == 410
    assert "This invitation was declined." in text(response)
    assert organizations_of(client) == set()


def test_decline_after_accept_leads_to_the_organization(two: list[Invitation], client: Client) -> None:
    accept(client, two[0])
    response = decline(client, two[0], follow=True)
    assert response.redirect_chain[-1][0] == f"/orgs/{two[0].organization.slug}/"
    assert organizations_of(client) == {two[0].organization}


def test_decline_pressed_twice_says_the_same(two: list[Invitation], client: Client) -> None:
    for _press in range(2):
        assert "You declined the invitation" in text(decline(client, two[0], "No, thanks."))
    assert OutgoingEmail.objects.filter(kind="invitation_declined").count() == 1


def test_how_it_stands_is_told_in_another_browser_of_the_person_too(
    two: list[Invitation], client: Client
) -> None:
    accept(client, two[0])
    decline(client, two[1])
    elsewhere = Client()
    elsewhere.force_login(Membership.objects.get(organization=two[0].organization, role=Role.MEMBER).user)
    joined = accept(elsewhere, two[0])
    assert joined.headers["Location"] == f"/orgs/{two[0].organization.slug}/"
    assert "was declined" in text(accept(elsewhere, two[1], follow=True))


# --- Ways back -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("chosen", [0, 1])
def test_signing_up_leads_back_to_the_page_that_it_was_begun_from(chosen: int) -> None:
    both = [InvitationFactory(), InvitationFactory()]
    client = Client()
    for invitation in both:
        opened(by_mail(invitation), client)
    page = client.get(page_of(both[chosen])).content.decode()
    link = re.search(r'href="(/accounts/signup/[^"]*)"', page)
    assert link is not None
    form = client.get(link[1])
    assert form.context["form"]["email"].value() == both[chosen].email
    response = client.post(
        "/accounts/signup/",
        {
            "email": both[chosen].email,
            "password1": "a long enough pass phrase",
            "name": "Lee Doe",
            "next": form_in(form.content.decode(), "signup")[1]["next"],
        },
    )
    assert response.headers["Location"] == page_of(both[chosen])
    assert EmailAddress.objects.get(email=both[chosen].email).verified


def test_a_sign_up_for_an_invite_link_is_not_bound_to_another_invitations_address() -> None:
    mailed, by_anyone = InvitationFactory(), InvitationFactory(kind=Kind.LINK)
    client = opened(by_link(by_anyone), opened(by_mail(mailed)))
    form = client.get("/accounts/signup/", {"next": page_of(by_anyone)})
    assert mailed.email not in text(form)


def test_each_mailed_link_proves_its_own_address() -> None:
    both = [InvitationFactory(), InvitationFactory()]
    client = Client()
    for invitation in both:
        opened(by_mail(invitation), client)
    sign_up(client, both[0].email)
    assert EmailAddress.objects.get(email=both[0].email).verified


@pytest.mark.slow
def test_the_wrong_account_signs_out_without_losing_any_of_them(two: list[Invitation]) -> None:
    client = signed_in(UserFactory())
    for invitation in two:
        opened(by_mail(invitation), client)
    for invitation in two:
        client.post("/accounts/logout/", {"next": page_of(invitation)})
        assert "Create account" in text(client.get(page_of(invitation)))


def test_a_copied_link_takes_nothing_from_the_mailed_one() -> None:
    invitation = InvitationFactory()
    client = opened(by_link(invitation), opened(by_mail(invitation)))
    assert invitation.email in text(client.get(page_of(invitation)))
    sign_up(client, invitation.email)
    assert EmailAddress.objects.get(email=invitation.email).verified


def test_an_older_link_does_not_stand_before_an_invitation_that_the_account_shows() -> None:
    invitation = InvitationFactory(generation=2)
    client = opened(Claim(invitation.pk, 1, Channel.MAIL), signed_in(UserFactory(email=invitation.email)))
    assert accept(client, invitation).headers["Location"] == start_of(invitation)


def test_a_browser_keeps_the_latest_claims_only() -> None:
    claims = [by_link(InvitationFactory(kind=Kind.LINK)) for _ in range(MOST_CLAIMS + 1)]
    client = Client()
    for claim in claims:
        opened(claim, client)
    assert client.get(f"/invitations/{claims[0].invitation_id}/").status_code == 404
    assert client.get(f"/invitations/{claims[1].invitation_id}/").status_code == 200
    assert len(client.session["invitation_claims"]) == MOST_CLAIMS


def test_of_all_invitations_only_those_are_read_whose_links_were_opened(rf: RequestFactory) -> None:
    invitation, _other = InvitationFactory(), InvitationFactory()
    request = rf.get("/")
    request.session = SessionStore()
    keep_claim(request.session, by_mail(invitation))
    with CaptureQueriesContext(connection) as read:
        assert list(live_invitations(request).values()) == [invitation]
    assert invitation.pk.hex in read[0]["sql"]


def test_the_page_tells_until_when_it_can_be_accepted(organization: Organization) -> None:
    invitation = InvitationFactory(organization=organization)
    client = opened(by_mail(invitation))
    assert "Expires" not in text(client.get(page_of(invitation)))
    organization.invitation_max_age_days = 7
    organization.save()
    expiry = invitation.sent_at + timedelta(days=7)
    assert f'Expires</dt> <dd> <time datetime="{expiry:%Y-%m-%dT%H:%M:%S}Z"' in text(
        client.get(page_of(invitation))
    )
