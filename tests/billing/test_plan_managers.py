"""A downgrade with more billing managers than fit: a person chooses, and nobody is dropped."""

import re

import pytest

from audit.models import AuditEvent
from billing.models import StripeOperation
from invitations.models import Invitation
from orgs.models import Membership
from orgs.policy import Role
from outbox.models import OutgoingEmail
from tests.billing.plans import Customer, text_of
from tests.conftest import SignIn
from tests.factories import MembershipFactory
from tests.invitations.factories import InvitationFactory

pytestmark = pytest.mark.django_db

DOWN = "plan/?edition=team-growth"


@pytest.fixture
def managers(customer: Customer, admin: Membership, sign_in: SignIn) -> list[Membership]:
    """Three, on an edition for any number; an admin reads."""
    organization = customer.account.organization
    others = MembershipFactory.create_batch(2, organization=organization, role=Role.BILLING_MANAGER)
    first, customer.reader, customer.browser = customer.reader, admin, sign_in(admin)
    customer.buy("enterprise-growth")
    return [first, *others]


def left(managers: list[Membership]) -> set[Membership]:
    kept = Membership.objects.billing_managers()
    return {one for one in managers if not kept.filter(pk=one.pk).exists()}


def test_the_page_asks_who_stays_and_has_chosen_nobody(
    customer: Customer, managers: list[Membership]
) -> None:
    page = customer.get(DOWN)
    assert "Team Growth has room for 1, and there are 3." in text_of(page)
    assert all(manager.user.email in page for manager in managers)
    choices = re.findall(r"<input[^>]*name=\"stays\"[^>]*>", page)
    assert len(choices) == 4
    assert not [choice for choice in choices if "checked" in choice]
    answer = customer.press(DOWN, page=page)
    assert answer.status_code == 422
    assert "Choose which billing manager stays, or decide later." in text_of(answer.content.decode())
    assert not StripeOperation.objects.filter(kind="schedule_change").exists()


@pytest.mark.slow
@pytest.mark.parametrize("is_admin", [True, False])
def test_open_invitations_that_will_end_are_told_and_end_with_a_mail_when_the_change_counts(
    customer: Customer, managers: list[Membership], is_admin: bool, sign_in: SignIn
) -> None:
    sent = InvitationFactory.create_batch(
        2, organization=customer.account.organization, role="billing_manager"
    )
    if not is_admin:
        customer.reader, customer.browser = managers[0], sign_in(managers[0])
    told = text_of(customer.get(DOWN))
    assert "2 open invitations of billing managers end on" in told
    assert [one.email in told for one in sent] == [is_admin] * 2
    customer.press(DOWN, stays=str(managers[0].pk))
    assert {one.state for one in Invitation.objects.all()} == {"pending"}
    customer.end_of_the_period()
    assert {one.state for one in Invitation.objects.all()} == {"revoked"}
    ended = OutgoingEmail.objects.filter(kind="invitation_ended").values_list("to", flat=True)
    assert set(ended) == {one.email for one in sent}


def test_an_invitation_that_keeps_its_place_is_not_told(customer: Customer) -> None:
    customer.buy("enterprise-growth")
    organization = customer.account.organization
    InvitationFactory(organization=organization, role="billing_manager")
    told = "1 open invitation of a billing manager ends on"
    assert told in text_of(customer.get(DOWN))
    Membership.objects.filter(pk=customer.reader.pk).update(role=Role.ADMIN)
    assert told not in text_of(customer.get(DOWN))


@pytest.mark.slow
def test_the_others_leave_when_the_change_counts_and_not_before(
    customer: Customer, managers: list[Membership]
) -> None:
    customer.press(DOWN, stays=str(managers[1].pk))
    late = MembershipFactory(organization=customer.account.organization, role=Role.BILLING_MANAGER)
    assert left(managers) == set()
    customer.end_of_the_period()
    assert customer.organization.edition_code == "team-growth"
    assert left([*managers, late]) == {managers[0], managers[2]}, "who came later was not decided about"
    removed = AuditEvent.objects.filter(action="membership.removed")
    assert {event.target_id for event in removed} == {str(one.user_id) for one in (managers[0], managers[2])}
    assert {event.actor_name for event in removed} == {customer.reader.user.name}
    told = OutgoingEmail.objects.filter(kind="membership_removed").values_list("to", flat=True)
    assert set(told) == {managers[0].user.email, managers[2].user.email}


@pytest.mark.slow
def test_decide_later_keeps_all_and_adds_nobody(customer: Customer, managers: list[Membership]) -> None:
    customer.press(DOWN, stays="later")
    customer.end_of_the_period()
    assert customer.organization.edition_code == "team-growth"
    assert left(managers) == set()
    assert "Team Growth has room for 1 billing manager, and there are 3." in text_of(customer.get(""))


@pytest.mark.slow
def test_a_choice_ends_with_the_change_that_it_was_made_for(
    customer: Customer, managers: list[Membership]
) -> None:
    customer.press(DOWN, stays=str(managers[1].pk))
    customer.browser.post(customer.url("plan/undo/"), {"schedule": customer.subscription().schedule})
    customer.press(DOWN, stays="later")
    customer.end_of_the_period()
    assert customer.organization.edition_code == "team-growth"
    assert left(managers) == set()


@pytest.mark.slow
def test_who_may_not_remove_anybody_is_not_asked(
    customer: Customer, managers: list[Membership], sign_in: SignIn
) -> None:
    customer.reader, customer.browser = managers[0], sign_in(managers[0])
    told = text_of(customer.get(DOWN))
    assert "All of them stay, and nobody new can be invited until the number fits. An admin decides" in told
    answer = customer.press(DOWN, stays=str(managers[0].pk))
    assert answer.status_code == 302
    customer.end_of_the_period()
    assert left(managers) == set()


def test_managers_who_came_since_the_page_was_drawn_are_shown_first(
    customer: Customer, managers: list[Membership]
) -> None:
    page = customer.get(DOWN)
    MembershipFactory(organization=customer.account.organization, role=Role.BILLING_MANAGER)
    answer = customer.press(DOWN, page=page, stays=str(managers[1].pk))
    assert "The billing managers have changed since you opened this." in text_of(answer.content.decode())
    assert "there are 4" in text_of(answer.content.decode())


@pytest.mark.parametrize("stays", ["", "1", "00000000-0000-0000-0000-000000000000"])
def test_an_answer_that_was_not_offered_is_none(
    customer: Customer, managers: list[Membership], stays: str
) -> None:
    assert customer.press(DOWN, stays=stays).status_code == 422
    assert left(managers) == set()
