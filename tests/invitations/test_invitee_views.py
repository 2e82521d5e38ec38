"""What the invited's views alone decide: what a page says, where it leads, and who answered.

Mutants that write the header's name in small letters are the same program, as it has no case.
"""

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from invitations.models import Invitation, Kind, State
from orgs.models import Membership, Organization
from orgs.policy import Role
from tests.factories import MembershipFactory, UserFactory
from tests.invitations.claims import by_link, by_mail
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import accept, decline, page_of, text
from tests.invitations.test_invitee import opened
from tests.world import signed_in

pytestmark = pytest.mark.django_db

ENDED = "This invitation was withdrawn."


@override_settings(PRODUCT_NAME="Acme Portal")
def test_a_page_that_opens_nothing_bears_the_products_name(written_anew: None) -> None:
    closed, client = page_of(InvitationFactory()), Client()
    opening = [client.get(path) for path in ("/invitations/x/", closed, f"{closed}decline/")]
    for answer in (*opening, client.post(f"{closed}ask/")):
        assert answer.status_code == 404
        assert "Acme Portal" in text(answer)


def test_who_accepted_reads_on_the_page_that_they_are_in() -> None:
    invitation = InvitationFactory(role=Role.MEMBER)
    client = opened(by_mail(invitation), signed_in(UserFactory(email=invitation.email)))
    accept(client, invitation, follow=True)
    page = client.get(page_of(invitation), follow=True)
    assert f"You are in {invitation.organization.name} already." in text(page)


@override_settings(PRODUCT_NAME="Acme Portal")
@pytest.mark.django_db(transaction=True)
def test_an_account_that_is_deleted_at_the_press_joins_nothing(written_anew: None) -> None:
    invitation, user = InvitationFactory(kind=Kind.LINK), UserFactory()
    client = opened(by_link(invitation), signed_in(user))

    def delete_account(execute: object, sql: str, *rest: object) -> object:
        assert callable(execute)
        if "FOR UPDATE" in sql and User.objects.filter(pk=user.pk).exists():
            User.objects.filter(pk=user.pk).delete()
        return execute(sql, *rest)

    with connection.execute_wrapper(delete_account):
        answer = accept(client, invitation)
    assert answer.status_code == 404
    assert "No invitation is open here" in text(answer)
    assert "Acme Portal" in text(answer)


def test_only_who_was_invited_by_nobody_any_more_is_offered_to_ask() -> None:
    invitation = InvitationFactory()
    client = opened(by_mail(invitation), signed_in(UserFactory(email=invitation.email)))
    MembershipFactory(organization=invitation.organization, role=Role.ADMIN)
    Organization.objects.update(edition_code="team-growth")
    taken = MembershipFactory(organization=invitation.organization, role=Role.BILLING_MANAGER)
    refused = accept(client, invitation)
    assert (refused.status_code, refused.context["offers_to_ask"]) == (409, False)
    assert 'name="csrfmiddlewaretoken"' in text(refused)
    taken.delete()
    Membership.objects.filter(user=invitation.invited_by).delete()
    refused = accept(client, invitation)
    assert (refused.status_code, refused.context["offers_to_ask"]) == (409, True)
    assert "The person who invited you may no longer do so." in text(refused)


def test_the_question_before_declining_carries_what_it_showed_and_leads_back() -> None:
    invitation = InvitationFactory(generation=3)
    question = opened(by_mail(invitation)).get(f"{page_of(invitation)}decline/")
    page = text(question)
    assert question.status_code == 200
    assert f"Decline the invitation to {invitation.organization.name}?" in page
    assert 'name="generation" value="3"' in page
    assert f'href="{page_of(invitation)}" data-dialog-close' in page


def test_what_ended_or_is_joined_asks_nobody_whether_to_decline() -> None:
    invitation = InvitationFactory()
    client = opened(by_mail(invitation), signed_in(UserFactory(email=invitation.email)))
    accept(client, invitation)
    assert client.get(f"{page_of(invitation)}decline/").headers["Location"] == page_of(invitation)
    ended = InvitationFactory(state=State.REVOKED, decided_at=timezone.now())
    question = opened(by_mail(ended)).get(f"{page_of(ended)}decline/")
    assert question.headers["Location"] == page_of(ended)
    assert Client().get(f"{page_of(ended)}decline/").status_code == 404


def test_who_declines_signed_in_is_the_one_who_declined() -> None:
    for user in (None, UserFactory()):
        invitation = InvitationFactory()
        client = opened(by_mail(invitation), signed_in(user) if user else Client())
        declined = decline(client, invitation)
        assert f"ask {invitation.organization.name} for a new invitation" in text(declined)
        assert ("Go to your organizations" in text(declined)) is bool(user)
        event = AuditEvent.objects.get(action="invitation.declined", target_id=str(invitation.pk))
        assert event.actor_id == (user and user.pk)


def test_of_what_ended_meanwhile_the_page_says_only_that() -> None:
    invitation = InvitationFactory()
    client = opened(by_mail(invitation), signed_in(UserFactory(email=invitation.email)))
    Invitation.objects.update(state=State.REVOKED, decided_at=timezone.now())
    page = text(client.post(f"{page_of(invitation)}accept/", {"generation": 7}, follow=True))
    assert ENDED in page
    assert "so nothing was done" not in page


def test_asking_for_a_new_one_from_a_page_that_showed_another_link_asks_nobody() -> None:
    invitation = InvitationFactory(state=State.REVOKED, decided_at=timezone.now())
    answer = opened(by_mail(invitation)).post(f"{page_of(invitation)}ask/", {"generation": 7}, follow=True)
    assert answer.redirect_chain[-1][0] == page_of(invitation)
    assert ENDED in text(answer)
    assert Invitation.objects.get().asked_for == ""


def test_who_asks_signed_in_is_the_one_who_asked() -> None:
    user = UserFactory()
    invitation = InvitationFactory(state=State.REVOKED, decided_at=timezone.now())
    client = opened(by_mail(invitation), signed_in(user))
    asked = client.post(f"{page_of(invitation)}ask/", {"generation": 1})
    assert f"may invite to {invitation.organization.name} are told" in text(asked)
    assert "Go to your organizations" in text(asked)
    assert AuditEvent.objects.get(action="invitation.asked").actor_id == user.pk
