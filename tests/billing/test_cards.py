"""Setting up a card, from the button to the default at Stripe, whatever happens in between."""

import uuid
from typing import Any

import pytest
from django.db import transaction

from audit.models import AuditEvent
from billing import gateway
from billing.card_outcomes import Outcome, outcome_of
from billing.models import BillingAccount, OperationState, StripeOperation
from billing.operations.cards import start_card_setup
from billing.operations.life import resume
from billing.webhooks import handle
from orgs.errors import Refused
from orgs.models import Membership, Organization
from orgs.policy import Denied, Role
from orgs.services import change_role, remove_member
from outbox.models import OutgoingEmail
from tests.billing.world import (
    MASTERCARD,
    VISA,
    StripeWorld,
    card_url,
    deliver,
    finished_at_stripe,
    operation_in,
    sweep_everything,
)
from tests.conftest import SignIn
from tests.factories import MembershipFactory
from tests.races import at_once

pytestmark = pytest.mark.django_db


def test_the_button_leads_to_stripe_and_back_to_the_new_card(
    admin: Membership, stripe: StripeWorld, sign_in: SignIn
) -> None:
    client = sign_in(admin)
    response = client.post(card_url(admin))
    assert response.status_code == 303
    back = stripe.control.enter_card(response["Location"], number=MASTERCARD)
    assert back.startswith(f"http://testserver{card_url(admin)}return/?operation=")
    assert "Confirming your card" in client.get(back).content.decode()
    resume(uuid.UUID(operation_in(back)))
    response = client.get(back, follow=True)
    page = response.content.decode()
    assert response.redirect_chain == [(f"/orgs/{admin.organization.slug}/settings/billing/", 302)]
    assert "The card is saved." in page
    assert "Mastercard" in page
    assert "4444" in page


def test_a_fault_of_our_own_is_not_blamed_on_stripe(
    admin: Membership, stripe: StripeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_values: object) -> None:
        raise ArithmeticError

    with monkeypatch.context() as fault:
        fault.setattr(gateway, "create_customer", broken)
        with pytest.raises(ArithmeticError):
            start_card_setup(actor=admin)
    operation = StripeOperation.objects.get()
    assert (operation.state, operation.error) == (OperationState.PENDING, "ArithmeticError: ")
    sweep_everything()
    assert BillingAccount.objects.get().has_customer


def test_the_return_page_changes_nothing_itself(
    admin: Membership, stripe: StripeWorld, sign_in: SignIn
) -> None:
    operation_id = finished_at_stripe(stripe, admin)
    stripe.control.forget_requests()
    response = sign_in(admin).get(f"{card_url(admin)}return/?operation={operation_id}")
    assert response.status_code == 200
    assert not stripe.control.requests()
    assert StripeOperation.objects.get(pk=operation_id).state == OperationState.WAITING


def test_the_confirming_part_polls_and_then_moves_on(
    admin: Membership, stripe: StripeWorld, sign_in: SignIn
) -> None:
    operation_id = finished_at_stripe(stripe, admin)
    client, url = sign_in(admin), f"{card_url(admin)}return/?operation={operation_id}"
    part = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert 'hx-trigger="every 1s"' in part
    assert "<html" not in part
    resume(operation_id)
    done = client.get(url, headers={"HX-Request": "true"})
    assert done["HX-Redirect"] == f"/orgs/{admin.organization.slug}/settings/billing/"


@pytest.mark.parametrize("operation", ["", "x", "0b5aa2d1-6f4e-4a3e-9a52-2f4c1b9b8a11"])
def test_a_return_without_an_operation_of_ones_own_is_not_found(
    operation: str, admin: Membership, sign_in: SignIn
) -> None:
    response = sign_in(admin).get(f"{card_url(admin)}return/?operation={operation}")
    assert response.status_code == 404


def test_another_persons_card_setup_is_not_found(
    admin: Membership, billing_manager: Membership, stripe: StripeWorld, sign_in: SignIn
) -> None:
    operation_id = finished_at_stripe(stripe, admin)
    url = f"{card_url(admin)}return/?operation={operation_id}"
    assert sign_in(billing_manager).get(url).status_code == 404
    assert sign_in(admin).get(url).status_code == 200


@pytest.mark.slow
def test_completing_makes_the_card_the_default_and_detaches_the_former(
    admin: Membership, stripe: StripeWorld
) -> None:
    resume(finished_at_stripe(stripe, admin))
    account = BillingAccount.objects.get()
    former = stripe.default_card(account)
    resume(finished_at_stripe(stripe, admin, MASTERCARD))
    account.refresh_from_db()
    assert stripe.default_card(account) == account.payment_method_id != former
    assert stripe.cards_of(account) == {account.payment_method_id}
    assert (account.card_brand, account.card_last4) == ("mastercard", "4444")


def test_a_new_card_is_told_and_recorded_with_its_person(
    admin: Membership, billing_manager: Membership, member: Membership, stripe: StripeWorld
) -> None:
    resume(finished_at_stripe(stripe, billing_manager))
    event = AuditEvent.objects.get(action="card.updated")
    assert (event.actor_id, event.sentence) == (billing_manager.user_id, "made Visa ending 4242 what pays")
    mails = OutgoingEmail.objects.filter(kind="card_updated")
    assert {mail.to for mail in mails} == {admin.user.email, billing_manager.user.email}
    assert all(mail.params["actor"] == billing_manager.user.name for mail in mails)


@pytest.mark.slow
def test_completion_by_webhook_return_page_and_sweep_happens_once(
    admin: Membership, stripe: StripeWorld
) -> None:
    operation_id = finished_at_stripe(stripe, admin)
    for event in stripe.events("checkout.session.completed", "setup_intent.succeeded"):
        assert deliver(event).status_code == 200
        handle(event["id"])
    resume(operation_id)
    sweep_everything()
    assert AuditEvent.objects.filter(action="card.updated").count() == 1
    assert OutgoingEmail.objects.filter(kind="card_updated").count() == 1
    assert len(stripe.calls("POST", "/v1/customers/")) == 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_webhook_and_return_page_may_race(admin: Membership, stripe: StripeWorld) -> None:
    for _round in range(3):
        before = AuditEvent.objects.filter(action="card.updated").count()
        operation_id = finished_at_stripe(stripe, admin)
        event = stripe.events("checkout.session.completed")[-1]
        deliver(event)
        outcomes = at_once(
            lambda: handle(event["id"]),
            lambda: resume(operation_id),
            lambda: resume(operation_id),
        )
        assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        assert AuditEvent.objects.filter(action="card.updated").count() == before + 1
        assert StripeOperation.objects.get(pk=operation_id).state == OperationState.DONE


@pytest.mark.slow
def test_whoever_lost_the_right_meanwhile_changes_no_card(
    admin: Membership, billing_manager: Membership, stripe: StripeWorld
) -> None:
    resume(finished_at_stripe(stripe, admin))
    account = BillingAccount.objects.get()
    operation_id = finished_at_stripe(stripe, billing_manager, MASTERCARD)
    remove_member(actor=admin, membership_id=billing_manager.pk)
    operation = resume(operation_id)
    assert outcome_of(operation) == Outcome.NOT_ALLOWED
    assert operation.state == OperationState.FAILED
    assert stripe.default_card(account) == account.payment_method_id
    assert stripe.cards_of(account) == {account.payment_method_id}
    refusal = AuditEvent.objects.get(action="card.refused")
    assert refusal.actor_id == billing_manager.user_id
    assert refusal.sentence == "set up Mastercard ending 4444 after losing the permission; it was not saved"
    assert not AuditEvent.objects.filter(action="card.updated", actor_id=billing_manager.user_id).exists()


def test_whoever_became_a_plain_member_meanwhile_changes_no_card(
    admin: Membership, stripe: StripeWorld
) -> None:
    other = MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    operation_id = finished_at_stripe(stripe, other)
    change_role(actor=admin, membership_id=other.pk, role=Role.MEMBER)
    resume(operation_id)
    assert stripe.default_card(BillingAccount.objects.get()) is None


@pytest.mark.slow
@pytest.mark.parametrize("first_heard", [0, 1])
def test_of_two_cards_at_the_same_time_the_one_completed_last_wins(
    first_heard: int, admin: Membership, billing_manager: Membership, stripe: StripeWorld
) -> None:
    pages = [start_card_setup(actor=admin), start_card_setup(actor=billing_manager)]
    early = uuid.UUID(operation_in(stripe.control.enter_card(pages[0], number=VISA)))
    stripe.control.advance(seconds=10)
    late = uuid.UUID(operation_in(stripe.control.enter_card(pages[1], number=MASTERCARD)))
    for operation_id in [(early, late), (late, early)][first_heard]:
        resume(operation_id)
    account = BillingAccount.objects.get()
    assert account.card_last4 == "4444"
    assert stripe.default_card(account) == account.payment_method_id
    assert stripe.cards_of(account) == {account.payment_method_id}
    assert not StripeOperation.objects.filter(state=OperationState.PENDING).exists()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_cards_completing_at_once_leave_one_default_that_is_the_later(
    admin: Membership, billing_manager: Membership, stripe: StripeWorld
) -> None:
    for _round in range(3):
        stripe.control.advance(seconds=10)
        early = finished_at_stripe(stripe, admin, VISA)
        stripe.control.advance(seconds=10)
        late = finished_at_stripe(stripe, billing_manager, MASTERCARD)
        at_once(lambda: resume(early), lambda: resume(late))
        sweep_everything()
        account = BillingAccount.objects.get()
        assert stripe.default_card(account) == account.payment_method_id == account.chosen_payment_method_id
        assert account.card_last4 == "4444"
        assert stripe.cards_of(account) == {account.payment_method_id}


@pytest.mark.slow
def test_a_default_that_changed_during_the_call_is_set_again(
    admin: Membership, billing_manager: Membership, stripe: StripeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    early, late = finished_at_stripe(stripe, admin), None
    stripe.control.advance(seconds=10)
    late = finished_at_stripe(stripe, billing_manager, MASTERCARD)
    real = gateway.set_default_payment_method

    def while_another_is_chosen(**asked: Any) -> None:
        monkeypatch.setattr(gateway, "set_default_payment_method", real)
        resume(late)
        stripe.api.payment_methods.attach("pm_card_amex", {"customer": asked["customer_id"]})
        try:
            real(**asked)
        except gateway.GatewayRefused:
            pytest.fail("the early card should still be attached")

    monkeypatch.setattr(gateway, "set_default_payment_method", while_another_is_chosen)
    monkeypatch.setattr(gateway, "detach_payment_method", lambda **asked: None)
    operation = resume(early)
    account = BillingAccount.objects.get()
    assert outcome_of(operation) == Outcome.SUPERSEDED
    assert stripe.default_card(account) == account.payment_method_id
    assert account.card_last4 == "4444"


def test_two_clicks_lead_to_one_page(admin: Membership, stripe: StripeWorld, sign_in: SignIn) -> None:
    client = sign_in(admin)
    first, second = (client.post(card_url(admin))["Location"] for _click in range(2))
    assert first == second
    assert len(stripe.sessions()) == 1


def test_after_a_completed_card_the_button_opens_a_new_page(admin: Membership, stripe: StripeWorld) -> None:
    finished_at_stripe(stripe, admin)
    start_card_setup(actor=admin)
    assert sorted(session.status for session in stripe.sessions()) == ["complete", "open"]
    sweep_everything()
    assert BillingAccount.objects.get().card_last4 == "4242"


@pytest.mark.django_db(transaction=True)
def test_the_gateway_refuses_to_run_inside_a_transaction(stripe: StripeWorld) -> None:
    with transaction.atomic(), pytest.raises(gateway.InsideTransactionError):
        gateway.customer("cus_x")
    assert not stripe.control.requests()


def test_the_gateway_refuses_inside_a_savepoint_of_a_test(stripe: StripeWorld) -> None:
    with transaction.atomic(), pytest.raises(gateway.InsideTransactionError):
        gateway.customer("cus_x")


def test_a_member_can_not_start_a_card_setup(
    member: Membership, stripe: StripeWorld, sign_in: SignIn
) -> None:
    assert sign_in(member).post(card_url(member)).status_code == 403
    with pytest.raises(Denied):
        start_card_setup(actor=member)
    assert not stripe.control.requests()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_many_people_at_once_make_one_customer(organization: Organization, stripe: StripeWorld) -> None:
    # Making this row at the same time would queue them up by itself.
    BillingAccount.objects.create(organization=organization)
    people = [MembershipFactory(organization=organization, role=Role.ADMIN) for _person in range(6)]
    outcomes = at_once(*[lambda person=person: start_card_setup(actor=person) for person in people])
    assert all(isinstance(outcome, str | Refused) for outcome in outcomes), outcomes
    assert len(stripe.customers()) == 1
    assert BillingAccount.objects.get().stripe_customer_id == stripe.customers()[0].id
    for person in people:
        start_card_setup(actor=person)
    assert len(stripe.customers()) == 1
    assert len(stripe.sessions()) == len(people)


@pytest.mark.slow
def test_a_customer_deleted_at_stripe_gives_way_to_a_new_one(admin: Membership, stripe: StripeWorld) -> None:
    resume(finished_at_stripe(stripe, admin))
    old = BillingAccount.objects.get().stripe_customer_id
    stripe.api.customers.delete(old)
    event = stripe.events("customer.deleted")[0]
    deliver(event)
    handle(event["id"])
    account = BillingAccount.objects.get()
    assert (account.has_customer, account.payment_method_id) == (False, "")
    resume(finished_at_stripe(stripe, admin, MASTERCARD))
    account.refresh_from_db()
    assert account.stripe_customer_id != old
    assert account.card_last4 == "4444"
