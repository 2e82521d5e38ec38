"""The webhook: what is Stripe's is kept once and answered at once; everything else is refused."""

import json
import time
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from billing.gateway import GatewayUnavailable
from billing.models import BillingAccount, EventState, Invoice, StripeEvent
from billing.services import inbox
from billing.services.inbox import MAX_ATTEMPTS, handle
from billing.services.sweeping import sweep
from tests.billing.factories import BillingAccountFactory
from tests.billing.world import WEBHOOK, StripeWorld, deliver, signature
from tests.factories import OrganizationFactory
from tests.races import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def secret(settings: LazySettings) -> str:
    settings.STRIPE_WEBHOOK_SECRET = "whsec_of_these_tests"
    return settings.STRIPE_WEBHOOK_SECRET


def event_of(customer_id: str = "cus_unknown", **fields: Any) -> dict[str, Any]:
    return {
        "id": "evt_1",
        "object": "event",
        "type": "customer.updated",
        "api_version": "2026-10-28.endive",
        "livemode": False,
        "created": 1,
        "data": {"object": {"id": customer_id, "object": "customer"}},
        **fields,
    }


def test_a_signed_event_is_kept_and_answered_with_one_statement(
    secret: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        assert deliver(event_of()).status_code == 200
    event = StripeEvent.objects.get()
    assert (event.event_id, event.type, event.customer_id, event.state) == (
        "evt_1",
        "customer.updated",
        "cus_unknown",
        EventState.RECEIVED,
    )


def post(payload: str | bytes, header: str | None) -> int:
    headers = {} if header is None else {"Stripe-Signature": header}
    client = Client(enforce_csrf_checks=True)
    return client.post(WEBHOOK, payload, content_type="application/json", headers=headers).status_code


PAYLOAD = json.dumps(event_of())


@pytest.mark.parametrize(
    ("payload", "header"),
    [
        pytest.param(PAYLOAD, lambda: None, id="unsigned"),
        pytest.param(PAYLOAD, lambda: "", id="empty signature"),
        pytest.param(PAYLOAD, lambda: "t=1,v1=abc", id="made up"),
        pytest.param(PAYLOAD, lambda: "nonsense", id="no signature at all"),
        pytest.param(PAYLOAD, lambda: signature(PAYLOAD, secret="whsec_other"), id="forged"),
        pytest.param(PAYLOAD + " ", lambda: signature(PAYLOAD), id="altered"),
        pytest.param(PAYLOAD, lambda: signature(PAYLOAD, timestamp=time.time() - 301), id="old"),
        pytest.param(PAYLOAD, lambda: signature(PAYLOAD, timestamp=time.time() + 400), id="future"),
        pytest.param("{", lambda: signature("{"), id="not JSON"),
        pytest.param("[]", lambda: signature("[]"), id="no object"),
        pytest.param("{}", lambda: signature("{}"), id="no event"),
        pytest.param("[" * 100_000, lambda: signature("[" * 100_000), id="too deep"),
        pytest.param(b"\xff", lambda: signature("x"), id="no text"),
    ],
)
def test_what_stripe_did_not_sign_for_us_is_refused_and_not_kept(
    payload: str | bytes, header: Any, secret: str
) -> None:
    assert post(payload, header()) == 400
    assert not StripeEvent.objects.exists()


def test_an_event_of_live_mode_is_refused_by_a_test_key(secret: str) -> None:
    assert deliver(event_of(livemode=True)).status_code == 400
    assert not StripeEvent.objects.exists()


@pytest.mark.parametrize("field", ["id", "type"])
def test_an_event_with_an_overlong_field_is_refused(field: str, secret: str) -> None:
    assert deliver(event_of(**{field: "x" * 101})).status_code == 400
    assert not StripeEvent.objects.exists()


def test_a_huge_event_is_refused(secret: str) -> None:
    assert deliver(event_of(padding="x" * 256_000)).status_code == 413
    assert not StripeEvent.objects.exists()


def test_an_event_of_another_version_is_kept_since_objects_are_fetched_anew(secret: str) -> None:
    assert deliver(event_of(api_version="2020-08-27")).status_code == 200
    assert StripeEvent.objects.get().api_version == "2020-08-27"


def test_only_post_is_answered() -> None:
    assert Client().get(WEBHOOK).status_code == 405


def test_secrets_in_an_event_are_not_kept(secret: str) -> None:
    intent = {"id": "seti_1", "object": "setup_intent", "client_secret": "seti_1_secret_x", "customer": "c"}
    deliver(event_of(type="setup_intent.created", data={"object": intent}))
    assert "secret" not in json.dumps(StripeEvent.objects.get().payload)


def test_a_nul_character_in_an_event_does_no_harm(secret: str) -> None:
    customer = {"id": "cus_1", "object": "customer", "name": "a\0b"}
    assert deliver(event_of(data={"object": customer})).status_code == 200
    assert StripeEvent.objects.get().payload["data"]["object"]["name"] == "ab"


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
    assert len(stripe.control.requests()) == 1
    account.refresh_from_db()
    assert account.name == "Renamed"
    assert StripeEvent.objects.get().state == EventState.DONE


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

    monkeypatch.setattr(inbox, "sync_customer", fails_for_one)
    for number in (1, 2):
        deliver(event_of(account.stripe_customer_id, id=f"evt_{number}"))
    StripeEvent.objects.update(attempts=MAX_ATTEMPTS - 1)
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

    monkeypatch.setattr(inbox, "sync_customer", dies)
    with pytest.raises(SystemExit):
        handle("evt_1")
    event = StripeEvent.objects.get()
    assert (event.state, event.attempts) == (EventState.RECEIVED, 1)
    monkeypatch.setattr(inbox, "sync_customer", lambda _account: None)
    sweep()
    assert StripeEvent.objects.get().state == EventState.RECEIVED, "the lease still runs"
    StripeEvent.objects.update(next_attempt_at=event.received_at)
    sweep()
    assert StripeEvent.objects.get().state == EventState.DONE


def test_stripe_down_is_noted_in_one_line(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    account = BillingAccountFactory()
    deliver(event_of(account.stripe_customer_id))

    def down(_account: BillingAccount) -> None:
        raise GatewayUnavailable("timed out")

    monkeypatch.setattr(inbox, "sync_customer", down)
    handle("evt_1")
    assert StripeEvent.objects.get().error == "timed out"
