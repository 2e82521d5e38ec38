"""A payment when Stripe, the process or the person fails on the way: charged once, or surely not."""

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from billing import gateway
from billing.mirror.invoices import sync_invoice
from billing.models import BillingAccount, Invoice, OperationState, StripeOperation
from billing.operations import payment_steps
from billing.operations.payments import Shown, pay_invoices
from billing.payment_outcomes import Outcome, outcome_of
from billing.webhooks import handle
from orgs.errors import Refused
from orgs.models import Membership
from tests.billing.test_card_failures import ProcessDied
from tests.billing.world import StripeWorld, deliver, sweep_everything
from tests.sampling import sampled

pytestmark = pytest.mark.django_db

PAY = {"method": "POST", "path": "/v1/invoices/*"}


@pytest.fixture
def shown(stripe: StripeWorld, account: BillingAccount) -> Shown:
    """An open invoice of $10.00 and a card that pays it, as the page shows both."""
    card = stripe.attach_default(account)
    made = stripe.invoice(account)
    account.payment_method_id, account.payment_method_kind = card, "card"
    account.save()
    sync_invoice(account, made.id)
    return Shown([Invoice.objects.get().pk], 1000, "usd", card)


def press(actor: Membership, shown: Shown) -> StripeOperation:
    (operation,) = pay_invoices(actor=actor, shown=shown)
    return operation


def after(minutes: int) -> None:
    StripeOperation.objects.update(created_at=timezone.now() - timedelta(minutes=minutes))


def charged(stripe: StripeWorld) -> list[int]:
    return [charge.amount for charge in stripe.api.charges.list().data if charge.paid]


def ended() -> tuple[str, Outcome]:
    operation = StripeOperation.objects.get()
    return operation.state, outcome_of(operation)


def test_stripe_down_is_told_and_nobody_is_charged_when_it_is_back_much_later(
    admin: Membership, stripe: StripeWorld, shown: Shown
) -> None:
    stripe.control.fail(503, count=100)
    assert not press(admin, shown).is_settled
    stripe.control.clear_faults()
    after(minutes=11)
    sweep_everything()
    assert ended() == (OperationState.FAILED, Outcome.TOO_LATE)
    assert charged(stripe) == []


def test_stripe_back_within_minutes_is_asked_for_what_was_pressed(
    admin: Membership, stripe: StripeWorld, shown: Shown
) -> None:
    stripe.control.fail(503, count=2)
    press(admin, shown)
    stripe.control.clear_faults()
    sweep_everything()
    assert ended() == (OperationState.DONE, Outcome.PAID)
    assert charged(stripe) == [1000]


@pytest.mark.parametrize("minutes", [0, 11, 60 * 25])
def test_an_answer_lost_after_the_work_is_found_out_and_charges_nothing_twice(
    minutes: int, admin: Membership, stripe: StripeWorld, shown: Shown
) -> None:
    stripe.control.drop(**PAY)
    assert not press(admin, shown).is_settled
    with pytest.raises(Refused, match="under way already"):
        press(admin, shown)
    after(minutes)
    sweep_everything()
    assert ended() == (OperationState.DONE, Outcome.PAID)
    assert charged(stripe) == [1000]


@pytest.mark.parametrize("minutes", [0, 11])
def test_a_request_that_never_came_is_not_made_much_later(
    minutes: int, admin: Membership, stripe: StripeWorld, shown: Shown
) -> None:
    stripe.control.drop(when="before", **PAY)
    press(admin, shown)
    after(minutes)
    sweep_everything()
    late = minutes > 10
    assert ended()[1] is (Outcome.TOO_LATE if late else Outcome.PAID)
    assert charged(stripe) == ([] if late else [1000])


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_failure_that_stripe_remembers_is_looked_up(
    when: str, admin: Membership, stripe: StripeWorld, shown: Shown
) -> None:
    stripe.control.fail(500, when=when, stored=True, **PAY)
    press(admin, shown)
    for _sweep in range(2):
        sweep_everything()
    done = when == "after"
    assert ended()[1] is (Outcome.PAID if done else Outcome.TOO_LATE)
    assert charged(stripe) == ([1000] if done else [])


def test_an_amount_that_changes_before_the_second_try_is_not_charged(
    admin: Membership, stripe: StripeWorld, shown: Shown
) -> None:
    stripe.control.drop(when="before", **PAY)
    press(admin, shown)
    stripe.api.credit_notes.create({"invoice": Invoice.objects.get().stripe_id, "amount": 400})
    sweep_everything()
    assert ended() == (OperationState.FAILED, Outcome.TOO_LATE)
    assert charged(stripe) == []
    assert Invoice.objects.get().amount_remaining == 600


def test_a_method_that_stripe_no_longer_takes_charges_nothing_and_blames_no_bank(
    admin: Membership, stripe: StripeWorld, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = gateway.pay_invoice

    def detached_first(**asked: Any) -> None:
        stripe.api.payment_methods.detach(shown.method_id)
        real(**asked)

    monkeypatch.setattr(gateway, "pay_invoice", detached_first)
    operation = press(admin, shown)
    assert outcome_of(operation) is Outcome.REFUSED
    assert "does not belong" in operation.error
    assert charged(stripe) == []


def test_a_key_without_the_scope_is_told(admin: Membership, stripe: StripeWorld, shown: Shown) -> None:
    stripe.control.take_scopes("rak_invoice_write")
    assert outcome_of(press(admin, shown)) is Outcome.FORBIDDEN
    stripe.control.take_scopes()
    assert charged(stripe) == []


def test_a_webhook_before_the_answer_tells_the_same_once(
    admin: Membership, stripe: StripeWorld, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = gateway.pay_invoice

    def overtaken(**asked: Any) -> None:
        real(**asked)
        for event in stripe.events("invoice.paid"):
            deliver(event)
            handle(event["id"])

    monkeypatch.setattr(gateway, "pay_invoice", overtaken)
    assert outcome_of(press(admin, shown)) is Outcome.PAID
    assert AuditEvent.objects.filter(action="invoice.paid").count() == 1


STEPS = [
    (gateway, "due"),
    (gateway, "pay_invoice"),
    (gateway, "invoice"),
    (gateway, "subscriptions"),
    (StripeOperation, "write"),
    (StripeOperation, "renew"),
    (payment_steps, "sync_invoice"),
    (payment_steps, "finish"),
]


@pytest.mark.parametrize(
    ("before", "at"),
    sampled(list(product([True, False], STEPS)), every=2),
    ids=lambda value: value[1] if isinstance(value, tuple) else "before" if value else "after",
)
def test_a_process_that_dies_at_any_step_charges_once(
    before: bool,
    at: tuple[Any, str],
    admin: Membership,
    stripe: StripeWorld,
    shown: Shown,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module, name = at
    real, deaths = getattr(module, name), []

    def dying(*args: Any, **asked: Any) -> Any:
        if deaths:
            return real(*args, **asked)
        deaths.append(name)
        result = None if before else real(*args, **asked)
        raise ProcessDied(result)

    monkeypatch.setattr(module, name, dying)
    try:
        press(admin, shown)
    except ProcessDied:
        sweep_everything()
    assert deaths
    assert ended() == (OperationState.DONE, Outcome.PAID)
    assert charged(stripe) == [1000]
    assert Invoice.objects.get().status == "paid"
    for action in ("invoice.payment_started", "invoice.paid"):
        assert AuditEvent.objects.filter(action=action).count() == 1
