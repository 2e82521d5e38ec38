"""What rings the workers, what they do then, and what becomes of it when nobody hears the bell."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from billing import tasks
from billing.models import BillingAccount, EventState, OperationState, StripeEvent, StripeOperation
from billing.operations import life
from billing.views import cards, webhook
from orgs.models import Membership
from tests.billing.factories import CardSetupFactory
from tests.billing.world import StripeWorld, card_url, deliver
from tests.conftest import SignIn

pytestmark = pytest.mark.django_db


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What was rung for, instead of the wire to Redis."""
    heard: list[tuple[str, ...]] = []

    def ring(task: Any, *args: str) -> None:
        heard.append((task.name, *args))

    for view in (cards, webhook):
        monkeypatch.setattr(view, "ring", ring)
    return heard


def test_a_webhook_rings_for_its_event(
    stripe: StripeWorld, account: BillingAccount, rung: list[tuple[str, ...]]
) -> None:
    stripe.api.customers.update(account.stripe_customer_id, {"name": "Renamed"})
    event = stripe.events("customer.updated")[0]
    deliver(event)
    assert rung == [("billing.handle_event", event["id"])]
    tasks.handle_event(event["id"])
    account.refresh_from_db()
    assert account.name == "Renamed"


def test_a_forged_webhook_rings_for_nobody(stripe: StripeWorld, rung: list[tuple[str, ...]]) -> None:
    deliver({"id": "evt_1"}, secret="whsec_other")
    assert not rung


def test_the_return_page_rings_once_and_its_polling_not_at_all(
    admin: Membership, sign_in: SignIn, rung: list[tuple[str, ...]]
) -> None:
    operation = CardSetupFactory(organization=admin.organization, actor_id=admin.user_id)
    client, url = sign_in(admin), f"{card_url(admin)}return/?operation={operation.pk}"
    client.get(url)
    client.get(url, headers={"HX-Request": "true"})
    assert rung == [("billing.resume_operations", str(operation.pk))]


def test_a_card_setup_that_stripe_says_nothing_of_goes_on_waiting(
    admin: Membership, settings: LazySettings
) -> None:
    settings.STRIPE_API_BASE = "http://127.0.0.1:1"
    operation = CardSetupFactory(organization=admin.organization, actor_id=admin.user_id)
    tasks.resume_operations(str(operation.pk))
    tasks.sweep()
    operation.refresh_from_db()
    assert operation.state == OperationState.WAITING


def test_one_operation_that_always_fails_stops_no_other(
    admin: Membership, billing_manager: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, sound = (
        CardSetupFactory(organization=membership.organization, actor_id=membership.user_id)
        for membership in (admin, billing_manager)
    )
    checked = []

    def check(operation_id: Any) -> None:
        checked.append(operation_id)
        if operation_id == broken.pk:
            raise ValueError("poison")

    monkeypatch.setattr(life, "resume", check)
    tasks.sweep()
    assert set(checked) == {broken.pk, sound.pk}
    assert StripeOperation.objects.filter(state=OperationState.WAITING).count() == 2


def test_events_are_kept_for_90_days_and_those_not_worked_off_for_longer() -> None:
    def received(days_ago: int, state: EventState) -> str:
        event_id = f"evt_{state}_{days_ago}"
        StripeEvent.objects.create(
            event_id=event_id,
            type="invoice.paid",
            livemode=False,
            payload={},
            state=state,
            received_at=timezone.now() - timedelta(days=days_ago),
        )
        return event_id

    kept = {received(89, EventState.DONE), received(91, EventState.RECEIVED)}
    received(91, EventState.DONE)
    received(91, EventState.FAILED)
    tasks.delete_old_events()
    assert set(StripeEvent.objects.values_list("event_id", flat=True)) == kept
