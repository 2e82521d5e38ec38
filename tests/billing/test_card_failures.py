"""A card set-up when Stripe, the process or the person fails on the way: nothing twice, nothing undone."""

import uuid
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from billing import gateway
from billing.card_outcomes import Outcome, outcome_of
from billing.models import BillingAccount, OperationState, StripeOperation
from billing.operations import card_steps, life, method_steps
from billing.operations.cards import start_card_setup
from billing.operations.life import resume
from billing.webhooks import handle
from orgs.errors import Refused
from orgs.models import Membership
from tests.billing.world import (
    MASTERCARD,
    StripeWorld,
    card_url,
    deliver,
    finished_at_stripe,
    operation_in,
    sweep_everything,
)
from tests.conftest import SignIn
from tests.sampling import sampled

pytestmark = pytest.mark.django_db


def test_a_page_that_expired_saves_no_card_and_says_so(
    admin: Membership, stripe: StripeWorld, sign_in: SignIn
) -> None:
    start_card_setup(actor=admin)
    stripe.control.advance(hours=3)
    sweep_everything()
    operation = StripeOperation.objects.get(kind="set_up_card")
    assert outcome_of(operation) == Outcome.EXPIRED
    page = sign_in(admin).get(f"{card_url(admin)}return/?operation={operation.pk}", follow=True)
    assert "no card was saved" in page.content.decode()


def test_a_card_whose_webhook_is_lost_and_whose_person_never_comes_back_is_saved_within_minutes(
    admin: Membership, stripe: StripeWorld
) -> None:
    before = timezone.now()
    operation = StripeOperation.objects.get(pk=finished_at_stripe(stripe, admin))
    assert operation.next_attempt_at - before < timedelta(minutes=6)
    sweep_everything()
    operation.refresh_from_db()
    assert operation.state == OperationState.DONE


def test_a_declined_card_leaves_the_page_open(admin: Membership, stripe: StripeWorld) -> None:
    page = start_card_setup(actor=admin)
    assert stripe.control.enter_card(page, number="4000000000000002") == ""
    for event in stripe.events("setup_intent.setup_failed"):
        deliver(event)
        handle(event["id"])
    assert StripeOperation.objects.get(kind="set_up_card").state == OperationState.WAITING
    assert stripe.default_card(BillingAccount.objects.get()) is None


def test_stripe_down_is_told_and_changes_nothing(
    admin: Membership, stripe: StripeWorld, sign_in: SignIn
) -> None:
    stripe.control.fail(503, count=10)
    response = sign_in(admin).post(card_url(admin), follow=True)
    assert "Stripe does not answer right now." in response.content.decode()
    stripe.control.clear_faults()
    assert not stripe.customers()


@pytest.mark.parametrize("path", ["/v1/customers", "/v1/checkout/sessions"])
def test_an_answer_lost_after_the_work_makes_nothing_twice(
    path: str, admin: Membership, stripe: StripeWorld
) -> None:
    stripe.control.drop(method="POST", path=path)
    with pytest.raises(Refused):
        start_card_setup(actor=admin)
    start_card_setup(actor=admin)
    sweep_everything()
    assert len(stripe.customers()) == 1
    assert len(stripe.sessions()) == 1


@pytest.mark.parametrize("path", ["/v1/customers", "/v1/checkout/sessions"])
def test_a_failure_that_stripe_remembers_is_looked_up_and_makes_nothing_twice(
    path: str, admin: Membership, stripe: StripeWorld
) -> None:
    """The work is done, but the key answers 500 for good: https://docs.stripe.com/error-low-level."""
    stripe.control.fail(500, method="POST", path=path, when="after", stored=True)
    for _try in range(2):
        with pytest.raises(Refused):
            start_card_setup(actor=admin)
    start_card_setup(actor=admin)
    assert len(stripe.customers()) == 1
    assert len(stripe.sessions()) == 1


def test_a_customer_of_a_day_ago_is_found_by_its_operation(admin: Membership, stripe: StripeWorld) -> None:
    stripe.control.drop(method="POST", path="/v1/customers")
    with pytest.raises(Refused):
        start_card_setup(actor=admin)
    long_ago = timezone.now() - life.KEY_LIFE * 2
    StripeOperation.objects.update(key_saved_at=long_ago, created_at=long_ago)
    stripe.control.forget_requests()
    sweep_everything()
    assert not stripe.calls("POST", "/v1/customers")
    assert BillingAccount.objects.get().stripe_customer_id == stripe.customers()[0].id


def test_a_default_that_was_set_without_an_answer_is_not_set_to_something_else(
    admin: Membership, stripe: StripeWorld
) -> None:
    operation_id = finished_at_stripe(stripe, admin)
    stripe.control.drop(method="POST", path="/v1/customers/*")
    assert resume(operation_id).state == OperationState.PENDING
    sweep_everything()
    account = BillingAccount.objects.get()
    assert stripe.default_card(account) == account.payment_method_id
    keys = {call["idempotency_key"] for call in stripe.calls("POST", "/v1/customers/")}
    assert len(keys) == 1
    assert AuditEvent.objects.filter(action="card.updated").count() == 1


class ProcessDied(BaseException):
    """Nothing catches it, as nothing catches a SIGKILL."""


STEPS = [
    (gateway, "create_customer"),
    (gateway, "create_card_session"),
    (gateway, "card_session"),
    (gateway, "set_default_payment_method"),
    (gateway, "customer"),
    (gateway, "detach_payment_method"),
    (StripeOperation, "write"),
    (card_steps, "settle"),
    (method_steps, "tell_of_new_card"),
]


@pytest.mark.parametrize(
    ("before", "at"),
    sampled(list(product([True, False], STEPS)), every=2),
    ids=lambda value: value[1] if isinstance(value, tuple) else "before" if value else "after",
)
def test_a_process_that_dies_at_any_step_leaves_nothing_twice_and_nothing_undone(
    before: bool, at: tuple[Any, str], admin: Membership, stripe: StripeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person starts, is interrupted, tries again, enters a card; the sweep clears up."""
    resume(finished_at_stripe(stripe, admin))
    BillingAccount.objects.all().delete() if at[1] == "create_customer" else None
    customers_before = len(stripe.customers())
    module, name = at
    real, deaths = getattr(module, name), []

    def dying(*args: Any, **asked: Any) -> Any:
        if deaths:
            return real(*args, **asked)
        deaths.append(name)
        result = None if before else real(*args, **asked)
        raise ProcessDied(result)

    monkeypatch.setattr(module, name, dying)

    def alive(step: Any) -> Any:
        try:
            return step()
        except ProcessDied:
            StripeOperation.objects.update(leased_until=None)
            return step()

    page = alive(lambda: start_card_setup(actor=admin))
    operation_id = uuid.UUID(operation_in(stripe.control.enter_card(page, number=MASTERCARD)))
    alive(lambda: resume(operation_id))
    sweep_everything()
    assert deaths
    account = BillingAccount.objects.get()
    assert stripe.default_card(account) == account.payment_method_id
    assert stripe.cards_of(account) == {account.payment_method_id}
    assert account.card_last4 == "4444"
    assert AuditEvent.objects.filter(action="card.updated").count() == 2
    assert len(stripe.customers()) == customers_before + (name == "create_customer")
    assert not StripeOperation.objects.exclude(state=OperationState.DONE).exists()
