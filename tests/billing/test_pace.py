"""A worker that Stripe refuses for the rate alone waits a moment and asks again; a person is told at once."""

import pytest

from billing import gateway
from billing.gateway import pace
from billing.models import BillingAccount, EventState, StripeEvent
from billing.webhooks import handle
from tests.billing.world import StripeWorld, deliver

pytestmark = pytest.mark.django_db


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of each wait, of which none passes."""
    waits: list[float] = []
    monkeypatch.setattr(pace.time, "sleep", waits.append)
    return waits


def renamed(stripe: StripeWorld, account: BillingAccount) -> str:
    """Deliver an event of the customer; returns its id."""
    stripe.api.customers.update(account.stripe_customer_id, {"name": "Renamed"})
    event = stripe.events("customer.updated")[-1]
    deliver(event)
    return str(event["id"])


def test_an_event_is_worked_off_though_stripe_is_asked_too_often(
    stripe: StripeWorld, account: BillingAccount, slept: list[float]
) -> None:
    event_id = renamed(stripe, account)
    stripe.control.fail(429, count=3)
    handle(event_id)
    account.refresh_from_db()
    event = StripeEvent.objects.get()
    assert (account.name, event.state, event.attempts) == ("Renamed", EventState.DONE, 1)
    assert len(slept) == 3
    assert slept[0] < slept[-1], "longer each time"


def test_an_event_is_tried_later_when_stripe_keeps_refusing(
    stripe: StripeWorld, account: BillingAccount, slept: list[float]
) -> None:
    event_id = renamed(stripe, account)
    stripe.control.fail(429, count=100)
    handle(event_id)
    stripe.control.clear_faults()
    assert StripeEvent.objects.get().state == EventState.RECEIVED
    assert len(slept) == len(pace.WAITS_SECONDS)


def test_a_person_is_told_at_once(stripe: StripeWorld, slept: list[float]) -> None:
    stripe.control.fail(429)
    with pytest.raises(gateway.GatewayUnavailable), gateway.person_waits():
        gateway.customer("cus_1")
    assert slept == []


def test_no_other_failure_is_asked_again(stripe: StripeWorld, slept: list[float]) -> None:
    stripe.control.fail(503)
    with pytest.raises(gateway.GatewayUnavailable):
        gateway.customer("cus_1")
    assert slept == []
