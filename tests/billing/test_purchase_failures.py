"""A purchase when Stripe or the process fails on the way: nothing twice, nothing undone, nothing unknown."""

import uuid
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from billing import gateway
from billing.models import BillingAccount, OperationState, StripeOperation, Subscription
from billing.operations import life, purchase_steps
from billing.operations.life import resume
from orgs.errors import Refused
from orgs.models import Membership
from outbox.models import OutgoingEmail
from tests.billing.sales import GROWTH, buy, paid_at_stripe, price_id, put_up_for_sale
from tests.billing.world import StripeWorld, operation_in, sweep_everything
from tests.conftest import SignIn
from tests.invitations.pages import text
from tests.sampling import sampled

pytestmark = pytest.mark.django_db

SESSIONS = "/v1/checkout/sessions"


@pytest.fixture(autouse=True)
def _prices(stripe: StripeWorld, db: None) -> None:
    put_up_for_sale(stripe)


def test_stripe_down_is_told_and_buys_nothing(
    admin: Membership, stripe: StripeWorld, sign_in: SignIn
) -> None:
    stripe.control.fail(503, count=10)
    url = f"/orgs/{admin.organization.slug}/settings/billing/purchase/"
    answer = sign_in(admin).post(url, {"edition": GROWTH, "shown_price": price_id()}, follow=True)
    assert "Stripe does not answer right now. Nothing was bought." in text(answer)
    stripe.control.clear_faults()
    assert not stripe.sessions()


@pytest.mark.parametrize("stored", [False, True])
def test_an_answer_lost_after_the_work_opens_one_page(
    stored: bool, admin: Membership, stripe: StripeWorld
) -> None:
    if stored:
        stripe.control.fail(500, method="POST", path=SESSIONS, when="after", stored=True)
    else:
        stripe.control.drop(method="POST", path=SESSIONS)
    for _try in range(2 if stored else 1):
        with pytest.raises(Refused):
            buy(admin)
    buy(admin)
    assert len(stripe.sessions()) == 1


def test_a_page_of_a_day_ago_is_found_by_its_operation(admin: Membership, stripe: StripeWorld) -> None:
    stripe.control.drop(method="POST", path=SESSIONS)
    with pytest.raises(Refused):
        buy(admin)
    StripeOperation.objects.update(key_saved_at=timezone.now() - life.KEY_LIFE * 2)
    stripe.control.forget_requests()
    sweep_everything()
    assert not stripe.calls("POST", SESSIONS)
    assert StripeOperation.objects.get(kind="start_subscription").stripe_id == stripe.sessions()[0].id


def test_a_purchase_that_nobody_comes_back_from_is_known_within_minutes(
    admin: Membership, stripe: StripeWorld
) -> None:
    before = timezone.now()
    operation = StripeOperation.objects.get(pk=paid_at_stripe(stripe, admin))
    assert operation.next_attempt_at - before < timedelta(minutes=6)
    sweep_everything()
    operation.refresh_from_db()
    assert operation.state == OperationState.DONE


def test_a_declined_card_starts_nothing_and_leaves_the_page_open(
    admin: Membership, stripe: StripeWorld
) -> None:
    page = buy(admin)
    assert stripe.control.enter_card(page, number="4000000000000341") == ""
    sweep_everything()
    assert StripeOperation.objects.get(kind="start_subscription").state == OperationState.WAITING
    assert not stripe.api.subscriptions.list({"status": "all"}).data


def test_a_key_without_the_scope_is_told_and_ends_the_purchase(
    admin: Membership, stripe: StripeWorld
) -> None:
    stripe.control.take_scopes("rak_checkout_session_write")
    with pytest.raises(Refused, match="lacks a permission at Stripe"):
        buy(admin)
    stripe.control.take_scopes()
    assert buy(admin)


class ProcessDied(BaseException):
    """Nothing catches it, as nothing catches a SIGKILL."""


STEPS = [
    (gateway, "create_subscription_session"),
    (gateway, "subscription_session"),
    (gateway, "subscriptions"),
    (StripeOperation, "write"),
    (purchase_steps, "settle"),
    (purchase_steps, "sync_invoice"),
    (purchase_steps, "sync_subscriptions"),
    (purchase_steps, "tell_of_started_subscription"),
]


@pytest.mark.parametrize(
    ("before", "at"),
    sampled(list(product([True, False], STEPS)), every=2),
    ids=lambda value: value[1] if isinstance(value, tuple) else "before" if value else "after",
)
def test_a_process_that_dies_at_any_step_leaves_nothing_twice_and_nothing_undone(
    before: bool, at: tuple[Any, str], admin: Membership, stripe: StripeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person presses, is interrupted, tries again, pays; the sweep clears up."""
    module, name = at
    real, deaths = getattr(module, name), []

    def dying(*args: Any, **asked: Any) -> Any:
        if deaths:
            return real(*args, **asked)
        deaths.append(name)
        result = None if before else real(*args, **asked)
        raise ProcessDied(result)

    def alive(step: Any) -> Any:
        try:
            return step()
        except ProcessDied:
            StripeOperation.objects.update(leased_until=None)
            return step()

    monkeypatch.setattr(module, name, dying)
    page = alive(lambda: buy(admin))
    operation_id = uuid.UUID(operation_in(stripe.control.enter_card(page)))
    alive(lambda: resume(operation_id))
    sweep_everything()
    assert deaths
    (subscription,) = stripe.api.subscriptions.list({"status": "all"}).data
    assert Subscription.objects.get().stripe_id == subscription.id
    assert AuditEvent.objects.filter(action="subscription.started").count() == 1
    assert OutgoingEmail.objects.filter(kind="subscription_started").count() == 1
    assert not StripeOperation.objects.exclude(state=OperationState.DONE).exists()
    assert BillingAccount.objects.get().organization.edition_code == GROWTH
