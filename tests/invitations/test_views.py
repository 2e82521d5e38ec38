"""What the inviters' views alone decide: what a page was given, what it says after, where it leads back.

Mutants that are the same program: the ways on from a link's refusal without the role, which is asked only of
an address that belongs already; whatever else is no role, day, code or key of a page in place of the "" for
what a form or address doesn't send; and reading all of a row anew.
"""

import uuid
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hooks.services import make_endpoint
from invitations.models import Invitation, State
from orgs.models import Membership, Organization
from orgs.policy import Role
from tests.conftest import SignIn
from tests.factories import MembershipFactory
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import text

pytestmark = pytest.mark.django_db

LEE = "lee@ledger.test"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def client(admin: Membership, sign_in: SignIn) -> Client:
    return sign_in(admin)


@pytest.fixture
def mailed(admin: Membership) -> Invitation:
    """To a billing manager, and long enough ago to be sent again."""
    return InvitationFactory(
        organization=admin.organization, inviter=admin, sent_at=timezone.now() - timedelta(hours=1)
    )


def url(organization: Organization, name: str, *ids: object) -> str:
    return reverse(name, args=[organization.slug, *ids])


def test_every_question_leads_back_to_the_list_that_it_came_from(
    client: Client, organization: Organization, billing_manager: Membership, mailed: Invitation
) -> None:
    to_member = InvitationFactory(organization=organization, role=Role.MEMBER)
    questions = {
        "members": [
            url(organization, "members_invite"),
            url(organization, "members_link"),
            url(organization, "invitation_revoke", to_member.pk),
            f"{url(organization, 'people_remove')}?invitation={to_member.pk}",
        ],
        "billing": [
            url(organization, "managers_invite"),
            url(organization, "manager_remove", billing_manager.pk),
            url(organization, "manager_last_day", billing_manager.pk),
            url(organization, "invitation_revoke", mailed.pk),
            f"{url(organization, 'people_remove')}?list=billing_manager&invitation={mailed.pk}",
        ],
    }
    for name, addresses in questions.items():
        for address in addresses:
            answer = client.get(address)
            assert answer.status_code == 200, address
            assert 'name="csrfmiddlewaretoken"' in text(answer), address
            assert f'href="{url(organization, name)}" data-dialog-close' in text(answer), address
    assert "Invite billing manager </h1>" in text(client.get(url(organization, "managers_invite")))


def test_links_and_refusals_lead_back_to_the_list_of_their_role(
    client: Client, organization: Organization, mailed: Invitation
) -> None:
    made = client.post(url(organization, "managers_link"), {"role": "billing_viewer"})
    copy = partial(client.post, url(organization, "invitation_copy_link", mailed.pk), headers=HTMX)
    copied, outdated = copy({"generation": 1}), copy({"generation": 2})
    wrong = client.post(url(organization, "managers_link"), {"role": "owner"})
    assert [answer.status_code for answer in (made, copied, outdated, wrong)] == [200, 200, 422, 422]
    for answer in (made, copied, outdated, wrong):
        assert f'href="{url(organization, "billing")}" data-dialog-close' in text(answer)
    assert "Invite link for one view-only billing manager" in text(made)
    assert "Anyone with the link can join." in text(made)
    assert "Invite link for one billing manager" in text(copied)
    assert "/invitations/l" in text(copied)
    assert ["<html" in text(answer) for answer in (copied, outdated)] == [False, False]
    assert f"Only an account with the verified address {mailed.email}" in text(copied)
    assert "Nothing was done. Check it, then try again." in text(outdated)
    assert "Select a valid choice" in text(wrong)
    to_members = client.post(url(organization, "members_link"), {"role": "admin"})
    assert f'href="{url(organization, "members")}" data-dialog-close' in text(to_members)
    assert "Invite link for one admin" in text(to_members)


def test_a_link_that_has_no_place_offers_what_can_be_done_instead(
    client: Client, organization: Organization, billing_manager: Membership
) -> None:
    Organization.objects.update(edition_code="team-growth")
    answer = client.post(url(organization, "managers_link"), headers=HTMX)
    assert f"Remove {billing_manager.user.name}" in text(answer)
    assert "<html" not in text(answer)


def test_the_wrong_role_of_a_link_is_refused_on_its_form(client: Client, organization: Organization) -> None:
    answer = client.post(url(organization, "members_link"), {"role": "owner"})
    assert answer.status_code == 422
    assert "Select a valid choice" in text(answer)


def test_what_was_done_with_an_invitation_is_said(
    client: Client, organization: Organization, mailed: Invitation
) -> None:
    def press(act: str, generation: int) -> str:
        path = url(organization, f"invitation_{act}", mailed.pk)
        return text(client.post(path, {"generation": generation}, follow=True))

    assert "Nothing was done. Check it, then try again." in press("resend", 7)
    assert f"Invitation sent to {mailed.email} again. The earlier link no longer works." in press("resend", 1)
    assert "This invitation was sent just now. Wait a minute" in press("resend", 2)
    assert "The invitation is revoked. Its link no longer works." in press("revoke", 2)
    Invitation.objects.update(state=State.ACCEPTED)
    assert "Its state now: Accepted" in press("revoke", 2)


def test_a_revocation_of_what_was_sent_again_is_asked_anew_as_it_is_now(
    client: Client, organization: Organization, mailed: Invitation
) -> None:
    Invitation.objects.update(generation=2, invited_by_name="Kim Roe")
    answer = client.post(url(organization, "invitation_revoke", mailed.pk), {"generation": 1})
    assert answer.status_code == 409
    assert "Nothing was done. Check it, then try again." in text(answer)
    assert "Kim Roe sent it" in text(answer)
    assert 'name="generation" type="hidden" value="2"' in text(answer)
    assert f'href="{url(organization, "billing")}" data-dialog-close' in text(answer)


def test_removing_a_billing_manager_says_what_ends_and_what_goes_on(
    client: Client, organization: Organization, billing_manager: Membership
) -> None:
    InvitationFactory(organization=organization, inviter=billing_manager)
    # A webhook that they made while they were an admin.
    Membership.objects.filter(pk=billing_manager.pk).update(role=Role.ADMIN)
    billing_manager.refresh_from_db()
    make_endpoint(
        actor=billing_manager, key=uuid.uuid4(), url="https://hooks.ledger.test/", events=["invoice.paid"]
    )
    Membership.objects.filter(pk=billing_manager.pk).update(role=Role.BILLING_MANAGER)
    path = url(organization, "manager_remove", billing_manager.pk)
    for item in ("1 pending invitation", "1 webhook<"):
        assert item in text(client.get(path))
    refused = client.post(path, {"shown_role": "billing_viewer"}, follow=True)
    assert "Nothing was done. Check it, then try again." in text(refused)
    assert client.post(path).status_code == 302
    assert Membership.objects.filter(pk=billing_manager.pk).exists()
    done = client.post(path, {"shown_role": "billing_manager"}, follow=True)
    assert done.redirect_chain[-1][0] == url(organization, "billing")
    assert f"{billing_manager.user.name} was removed." in text(done)
    assert "1 pending invitation" in text(done)


def test_a_last_day_is_shown_saved_and_told(
    client: Client, organization: Organization, billing_manager: Membership
) -> None:
    person = MembershipFactory(
        organization=organization, role=Role.BILLING_MANAGER, last_day=date(2999, 3, 31)
    )
    path = url(organization, "manager_last_day", person.pk)
    page = text(client.get(path))
    assert 'value="2999-03-31" id="id_last_day"' in page or 'name="last_day" value="2999-03-31"' in page
    assert f"Until when does {person.user.name} stay?" in page
    shown = {"shown_last_day": "2999-03-31"}
    saved = client.post(path, {"last_day": "2999-04-30", **shown}, follow=True)
    assert saved.redirect_chain[-1][0] == url(organization, "billing")
    assert f"{person.user.name} stays until the end of 30 April 2999 (UTC)." in text(saved)
    outdated = client.post(path, {"last_day": "2999-05-31", **shown})
    assert outdated.status_code == 409
    assert "Nothing was done. Check it, then try again." in text(outdated)
    assert 'name="last_day" value="2999-04-30"' in text(outdated)
    assert f'href="{url(organization, "billing")}" data-dialog-close' in text(outdated)
    for wrong in ("", "soon"):
        answer = client.post(path, {"last_day": "2999-05-31", "shown_last_day": wrong})
        assert answer.status_code == 409, wrong
    cleared = client.post(path, {"last_day": "", "shown_last_day": "2999-04-30"}, follow=True)
    assert f"{person.user.name} stays for good." in text(cleared)
    assert Membership.objects.get(pk=billing_manager.pk).last_day is None
    # Nobody has a last day now, and what is no day is none that anybody has.
    assert client.post(path, {"last_day": "2999-05-31", "shown_last_day": "soon"}).status_code == 409
    assert client.post(path, {"last_day": "2999-05-31"}).status_code == 302


def test_a_last_day_that_is_none_is_refused_on_its_form(
    client: Client, organization: Organization, billing_manager: Membership
) -> None:
    answer = client.post(url(organization, "manager_last_day", billing_manager.pk), {"last_day": "soon"})
    assert answer.status_code == 422
    assert "Enter a day, or leave this empty." in text(answer)
    assert f"Until when does {billing_manager.user.name} stay?" in text(answer)


def test_of_a_list_in_which_all_were_refused_nothing_was_sent(
    client: Client, organization: Organization
) -> None:
    both = client.post(url(organization, "managers_invite"), {"email": "lee@\nkim@"}, headers=HTMX)
    for sentence in ("lee@: Enter one email address", "kim@: Enter one email address"):
        assert sentence in text(both)
    assert both.context["told"] == ""
    assert list(both.context["form"].errors) == ["email"]
    # Without a new row the list behind the dialog stays as it is.
    assert 'id="billing-managers"' not in text(both)
    one = client.post(url(organization, "managers_invite"), {"email": "lee@"})
    assert "lee@: Enter" not in text(one)


def test_each_who_belongs_already_is_told_with_a_way_of_their_own(
    client: Client, organization: Organization, member: Membership, billing_manager: Membership
) -> None:
    emails = f"{LEE}\n{member.user.email}\n{billing_manager.user.email}"
    answer = client.post(url(organization, "managers_invite"), {"email": emails}, headers=HTMX)
    page = text(answer)
    for label in ("Change the role instead", "See billing managers"):
        assert f">{label}</a>" in page
    # The way stands beside the fact, so the sentence needs no other.
    assert "already. Change the role" not in page
    assert f"Invitation sent to {LEE}." in page
    assert 'id="billing-managers"' in page


@pytest.mark.parametrize(("name", "role"), [("members_link", "admin"), ("managers_link", "billing_viewer")])
def test_in_a_dialog_the_link_stands_beside_the_renewed_list(
    name: str, role: str, client: Client, organization: Organization
) -> None:
    answer = client.post(url(organization, name), {"role": role}, headers=HTMX)
    assert f"Invite link for one {Role(role).in_sentence}" in text(answer)
    assert "/invitations/l" in answer.context["url"]


def test_hiding_a_warning_that_is_none_leads_back_as_well(client: Client, organization: Organization) -> None:
    answer = client.post(url(organization, "members_warning_hide"), {"code": "none"})
    assert answer.headers["Location"] == url(organization, "members")


def test_of_many_a_question_takes_a_hundred(client: Client, organization: Organization) -> None:
    first, last = (MembershipFactory(organization=organization) for _ in range(2))
    unknown = [str(uuid.uuid4()) for _ in range(99)]
    question = client.get(
        url(organization, "people_remove"), {"person": [str(first.pk), *unknown, str(last.pk)]}
    )
    assert first.user.name in text(question)
    assert last.user.name not in text(question)


def test_people_are_asked_about_in_the_order_in_which_they_came(
    client: Client, organization: Organization, admin: Membership
) -> None:
    came = datetime(2026, 1, 1, tzinfo=UTC)
    # With the id that each has: the last two at one instant.
    instants = {3: came + timedelta(days=1), 2: came, 1: came}
    later, second, first = (
        MembershipFactory(pk=uuid.UUID(int=number), organization=organization, joined_at=instant)
        for number, instant in instants.items()
    )
    mails = [
        InvitationFactory(pk=uuid.UUID(int=number), organization=organization, sent_at=instant)
        for number, instant in instants.items()
    ]
    question = client.get(
        url(organization, "people_remove"),
        {
            "person": [str(one.pk) for one in (later, second, first, admin)],
            "invitation": [str(one.pk) for one in mails] + ["none"],
        },
    )
    assert question.context["leaving"] == [first, second, later]
    assert question.context["waiting"] == mails[::-1]
    assert f"Remove 6 from {organization.name}?" in text(question)


@pytest.mark.parametrize(("chosen_on", "home"), [("member", "members"), ("billing_manager", "billing")])
def test_after_a_removal_the_page_is_the_one_on_which_they_were_chosen(
    chosen_on: str, home: str, client: Client, organization: Organization, mailed: Invitation
) -> None:
    path = url(organization, "people_remove")
    question = client.get(path, {"list": chosen_on, "invitation": str(mailed.pk)})
    assert f'name="list" type="hidden" value="{chosen_on}"' in text(question)
    assert client.get(path, {"list": chosen_on}).headers["Location"] == url(organization, home)
    for data in ({}, {"invitation": f"{mailed.pk}~1"}):
        answer = client.post(path, {"list": chosen_on, **data})
        assert answer.headers["Location"] == url(organization, home)


def test_settings_are_shown_as_they_are_and_what_is_wrong_beside_them(
    client: Client, organization: Organization
) -> None:
    path = url(organization, "organization_settings")
    assert client.get(path).status_code == 200
    wrong = client.post(path, {"name": "", "initial-name": organization.name})
    assert wrong.status_code == 422
    # The name of the organization that stands around the form is the one that is saved.
    assert organization.name in text(wrong)
