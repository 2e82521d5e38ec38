"""The inbox: what was kept is worked off once, whoever comes twice, dies, or gets no answer."""

import pytest
from django.utils import timezone

from billing import webhooks
from billing.gateway import GatewayUnavailable
from billing.models import BillingAccount, EventState, Invoice, StripeEvent, UnknownCustomer
from billing.tasks import sweep
from billing.webhooks import handle
from tests.billing.factories import BillingAccountFactory
from tests.billing.world import StripeWorld, deliver, event_of
from tests.factories import OrganizationFactory
from tests.races import at_once

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_ten_deliveries_at_once_are_one_event_with_one_effect(stripe: StripeWorld) -> None:
    account = stripe.account_for(OrganizationFactory())
    stripe.api.customers.update(account.stripe_customer_id, {"name": "Renamed"})
    event = stripe.events("customer.updated")[0]
    answers = at_once(*[lambda: deliver(event).status_code for _delivery in range(10)])
    assert answers == [200] * 10
    assert StripeEvent.objects.count() == 1
    stripe.control.forget_requests()
    at_once(*[lambda: handle(event["id"]) for _worker in range(10)])
    assert fetched(stripe) == FETCHED_ONCE
    account.refresh_from_db()
    assert account.name == "Renamed"
    assert StripeEvent.objects.get().state == EventState.DONE


def renamed(stripe: StripeWorld, account: BillingAccount, *, times: int) -> list[str]:
    """Deliver so many events of the customer; returns their ids."""
    for number in range(times):
        stripe.api.customers.update(account.stripe_customer_id, {"name": f"Name {number}"})
    events = stripe.events("customer.updated")
    for event in events:
        deliver(event)
    stripe.control.forget_requests()
    return [event["id"] for event in events]


# The customer, what they have saved to pay with, and their subscriptions.
FETCHED_ONCE = ["customers", "customers", "subscriptions"]


def fetched(stripe: StripeWorld) -> list[str]:
    return [request["path"].split("/")[2] for request in stripe.control.requests()]


@pytest.mark.django_db(transaction=True)
def test_events_of_one_customer_are_one_fetch_though_workers_take_each_at_once(stripe: StripeWorld) -> None:
    account = stripe.account_for(OrganizationFactory())
    events = renamed(stripe, account, times=6)
    at_once(*[lambda event_id=event_id: handle(event_id) for event_id in events])
    assert fetched(stripe) == FETCHED_ONCE
    assert set(StripeEvent.objects.values_list("state", "leased_until")) == {(EventState.DONE, None)}


def test_events_that_went_with_one_that_failed_are_worked_off_without_it(
    stripe: StripeWorld, account: BillingAccount
) -> None:
    first, second, third = renamed(stripe, account, times=3)
    stripe.control.fail(503)
    handle(first)
    stripe.control.forget_requests()
    handle(second)
    assert fetched(stripe) == FETCHED_ONCE
    states = dict(StripeEvent.objects.values_list("event_id", "state"))
    assert states == {first: EventState.RECEIVED, second: EventState.DONE, third: EventState.DONE}


def test_events_whose_worker_died_are_worked_off_when_its_lease_has_run_out(
    stripe: StripeWorld, account: BillingAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = renamed(stripe, account, times=2)

    def dies(_account: BillingAccount) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(webhooks, "sync_customer", dies)
        with pytest.raises(SystemExit):
            handle(first)
    handle(second)
    assert StripeEvent.objects.get(pk=second).state == EventState.RECEIVED, "the lease still runs"
    StripeEvent.objects.update(leased_until=timezone.now())
    handle(second)
    assert StripeEvent.objects.get(pk=second).state == EventState.DONE


def test_an_event_of_an_unknown_customer_is_ignored(stripe: StripeWorld, account: BillingAccount) -> None:
    stranger = stripe.api.customers.create(
        {"metadata": {"portal_organization": str(account.organization_id)}}
    )
    stripe.api.customers.update(stranger.id, {"name": "Stranger"})
    stripe.control.forget_requests()
    event = stripe.events("customer.updated")[-1]
    deliver(event)
    handle(event["id"])
    assert StripeEvent.objects.get().state == EventState.IGNORED
    assert not stripe.calls("GET", "/v1/customers/")
    assert not UnknownCustomer.objects.exists()


def test_a_customer_of_no_organization_who_pays_is_kept_for_support(secret: str) -> None:
    invoice = {"id": "in_1", "object": "invoice", "customer": "cus_unknown", "amount_paid": 5}
    deliver(event_of(type="invoice.paid", data={"object": invoice}))
    handle("evt_1")
    assert UnknownCustomer.objects.get().event_type == "invoice.paid"


def test_an_event_of_a_type_that_we_do_not_follow_is_ignored(secret: str) -> None:
    deliver(event_of(type="radar.early_fraud_warning.created"))
    handle("evt_1")
    assert StripeEvent.objects.get().state == EventState.IGNORED


def test_an_event_that_names_another_customers_invoice_changes_nothing(
    stripe: StripeWorld, account: BillingAccount
) -> None:
    """The organization follows from our own mapping, and the object must be that customer's at Stripe."""
    other = stripe.account_for(OrganizationFactory())
    invoice = stripe.invoice(other)
    event = stripe.events("invoice.finalized")[-1]
    event["data"]["object"]["customer"] = account.stripe_customer_id
    deliver(event)
    handle(event["id"])
    assert not Invoice.objects.filter(stripe_id=invoice.id).exists()


def test_an_event_whose_ring_was_lost_is_swept(stripe: StripeWorld, account: BillingAccount) -> None:
    stripe.api.customers.update(account.stripe_customer_id, {"name": "Renamed"})
    deliver(stripe.events("customer.updated")[-1])
    sweep()
    account.refresh_from_db()
    assert account.name == "Renamed"


def test_an_event_is_tried_again_when_stripe_was_down(stripe: StripeWorld, account: BillingAccount) -> None:
    stripe.api.customers.update(account.stripe_customer_id, {"name": "Renamed"})
    event = stripe.events("customer.updated")[-1]
    deliver(event)
    stripe.control.fail(503)
    handle(event["id"])
    kept = StripeEvent.objects.get()
    assert (kept.state, kept.attempts) == (EventState.RECEIVED, 1)
    handle(event["id"])
    assert StripeEvent.objects.get().attempts == 1, "its time has not come"
    StripeEvent.objects.update(next_attempt_at=kept.received_at)
    handle(event["id"])
    assert StripeEvent.objects.get().state == EventState.DONE
    account.refresh_from_db()
    assert account.name == "Renamed"


def test_an_event_that_always_fails_is_given_up_and_stops_no_other(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = BillingAccountFactory()
    handled = []

    def fails_for_one(found: BillingAccount) -> None:
        handled.append(found)
        if len(handled) == 1:
            raise ValueError("poison")

    monkeypatch.setattr(webhooks, "sync_customer", fails_for_one)
    monkeypatch.setattr(webhooks, "sync_subscriptions", lambda _account: 0)
    for number in (1, 2):
        deliver(event_of(account.stripe_customer_id, id=f"evt_{number}"))
    StripeEvent.objects.update(attempts=StripeEvent.MAX_ATTEMPTS - 1)
    sweep()
    states = dict(StripeEvent.objects.values_list("event_id", "state"))
    assert sorted(states.values()) == [EventState.DONE, EventState.FAILED]
    assert "poison" in StripeEvent.objects.get(state=EventState.FAILED).error


def test_a_worker_that_died_leaves_the_event_to_the_next(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = BillingAccountFactory()
    deliver(event_of(account.stripe_customer_id))

    def dies(_account: BillingAccount) -> None:
        raise SystemExit

    monkeypatch.setattr(webhooks, "sync_customer", dies)
    with pytest.raises(SystemExit):
        handle("evt_1")
    event = StripeEvent.objects.get()
    assert (event.state, event.attempts) == (EventState.RECEIVED, 1)
    monkeypatch.setattr(webhooks, "sync_customer", lambda _account: None)
    monkeypatch.setattr(webhooks, "sync_subscriptions", lambda _account: 0)
    sweep()
    assert StripeEvent.objects.get().state == EventState.RECEIVED, "the lease still runs"
    StripeEvent.objects.update(leased_until=event.received_at)
    sweep()
    assert StripeEvent.objects.get().state == EventState.DONE


def test_an_event_that_kills_its_workers_is_given_up_in_the_end(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(event_of(BillingAccountFactory().stripe_customer_id))

    def dies(_account: BillingAccount) -> None:
        raise SystemExit

    monkeypatch.setattr(webhooks, "sync_customer", dies)
    for _worker in range(StripeEvent.MAX_ATTEMPTS):
        with pytest.raises(SystemExit):
            handle("evt_1")
        StripeEvent.objects.update(leased_until=timezone.now())
    handle("evt_1")
    event = StripeEvent.objects.get()
    assert (event.state, event.error) == (EventState.FAILED, "Its worker died in attempt 20, the last one.")


def test_stripe_down_is_noted_in_one_line(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    account = BillingAccountFactory()
    deliver(event_of(account.stripe_customer_id))

    def down(_account: BillingAccount) -> None:
        raise GatewayUnavailable("timed out")

    monkeypatch.setattr(webhooks, "sync_customer", down)
    handle("evt_1")
    assert StripeEvent.objects.get().error == "GatewayUnavailable: timed out"
