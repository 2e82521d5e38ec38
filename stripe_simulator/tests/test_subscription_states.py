"""Subscriptions that are paused, that wait for a payment or whose payment fails."""

from typing import Any

import pytest
import stripe

from stripe_simulator.control import Control
from stripe_simulator.tests.conftest import Receiver, make_paying_customer, make_price
from stripe_simulator.tests.resource_types import problems_of_resource

Client = stripe.StripeClient
DECLINING = "pm_card_chargeCustomerFail"


def subscribe(client: Client, customer: stripe.Customer, **params: Any) -> Any:
    given: Any = {
        "customer": customer.id,
        "items": [{"price": make_price(client, 5000).id, "quantity": 2}],
        **params,
    }
    made = client.v1.subscriptions.create(given)
    assert problems_of_resource(made) == []
    return made


def read(client: Client, subscription: Any) -> Any:
    found = client.v1.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
    assert problems_of_resource(found) == []
    return found


def pay_with(client: Client, customer: stripe.Customer, card: str) -> None:
    method = client.v1.payment_methods.attach(card, {"customer": customer.id})
    client.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method.id}})


def grow(client: Client, subscription: Any, quantity: int = 10, **params: Any) -> Any:
    given: Any = {
        "items": [{"id": subscription["items"].data[0].id, "quantity": quantity}],
        "proration_behavior": "always_invoice",
        **params,
    }
    return client.v1.subscriptions.update(subscription.id, given)


@pytest.fixture
def declined(client: Client) -> tuple[stripe.Customer, Any]:
    """A customer with an active subscription whose card has since become one that is declined."""
    customer = make_paying_customer(client)
    subscription = subscribe(client, customer)
    pay_with(client, customer, DECLINING)
    return customer, subscription


def test_error_if_incomplete_refuses_a_change_and_keeps_nothing_of_it(
    client: Client, declined: tuple[stripe.Customer, Any]
) -> None:
    customer, subscription = declined
    before = len(client.v1.events.list({"limit": 100}).data)
    with pytest.raises(stripe.CardError) as refused:
        grow(client, subscription, payment_behavior="error_if_incomplete")
    assert (refused.value.http_status, refused.value.code) == (402, "card_declined")
    after = read(client, subscription)
    assert (after.status, after["items"].data[0].quantity) == ("active", 2)
    assert after.latest_invoice.id == subscription.latest_invoice
    assert client.v1.invoice_items.list({"customer": customer.id}).data == []
    assert len(client.v1.events.list({"limit": 100}).data) == before


def test_change_waits_for_its_payment(client: Client, declined: tuple[stripe.Customer, Any]) -> None:
    customer, subscription = declined
    waiting = grow(client, subscription, payment_behavior="pending_if_incomplete")
    assert problems_of_resource(waiting) == []
    assert (waiting.status, waiting["items"].data[0].quantity) == ("active", 2)
    assert [item.quantity for item in waiting.pending_update.subscription_items] == [10]
    invoice = client.v1.invoices.retrieve(waiting.latest_invoice)
    assert (invoice.status, invoice.total) == ("open", 40000)
    pay_with(client, customer, "pm_card_visa")
    client.v1.invoices.pay(invoice.id)
    after = read(client, subscription)
    assert (after.pending_update, after["items"].data[0].quantity) == (None, 10)


def test_change_that_is_paid_at_once_never_waits(
    client: Client, control: Control, receiver: Receiver
) -> None:
    subscription = subscribe(client, make_paying_customer(client))
    after = grow(client, subscription, payment_behavior="pending_if_incomplete")
    assert (after.pending_update, after["items"].data[0].quantity) == (None, 10)
    control.wait_for_webhooks(5)
    updates = [event for event in receiver.events if event.type == "customer.subscription.updated"]
    assert {event.data.object["pending_update"] for event in updates} == {None}
    assert updates[-1].data.object["items"]["data"][0]["quantity"] == 10


def test_change_that_nobody_pays_ends_with_its_invoice(
    client: Client, control: Control, declined: tuple[stripe.Customer, Any]
) -> None:
    _, subscription = declined
    grow(client, subscription, payment_behavior="pending_if_incomplete")
    control.advance(hours=23, seconds=5)
    after = read(client, subscription)
    assert (after.status, after.pending_update, after["items"].data[0].quantity) == ("active", None, 2)
    assert after.latest_invoice.status == "void"


def test_pending_change_is_of_what_can_wait_only(client: Client) -> None:
    subscription = subscribe(client, make_paying_customer(client))
    with pytest.raises(stripe.InvalidRequestError) as refused:
        grow(client, subscription, payment_behavior="pending_if_incomplete", description="More")
    assert refused.value.param == "description"


@pytest.mark.parametrize(
    ("behavior", "status"), [("allow_incomplete", "past_due"), ("default_incomplete", "past_due")]
)
def test_change_is_kept_though_its_payment_fails(
    behavior: Any, status: str, client: Client, declined: tuple[stripe.Customer, Any]
) -> None:
    _, subscription = declined
    grow(client, subscription, payment_behavior=behavior)
    after = read(client, subscription)
    assert (after.status, after["items"].data[0].quantity) == (status, 10)
    assert (after.latest_invoice.status, after.latest_invoice.attempt_count) == (
        "open",
        int(behavior == "allow_incomplete"),
    )


@pytest.mark.parametrize(
    ("behavior", "status"),
    [("keep_as_draft", "draft"), ("mark_uncollectible", "uncollectible"), ("void", "void")],
)
def test_paused_collection_charges_nothing_until_it_resumes(
    behavior: Any, status: str, client: Client, control: Control
) -> None:
    subscription = subscribe(client, make_paying_customer(client))
    end = subscription["items"].data[0].current_period_end
    paused = client.v1.subscriptions.update(
        subscription.id, {"pause_collection": {"behavior": behavior, "resumes_at": end + 86400}}
    )
    assert problems_of_resource(paused) == []
    assert (paused.status, paused.pause_collection and paused.pause_collection.behavior) == (
        "active",
        behavior,
    )
    control.set_clock(end + 7200)
    during = read(client, subscription)
    assert (during.latest_invoice.status, during.latest_invoice.amount_paid) == (status, 0)
    control.set_clock(end + 86400)
    assert read(client, subscription).pause_collection is None
    control.advance(days=31)
    assert read(client, subscription).latest_invoice.status == "paid"


def test_collection_resumes_when_it_is_told_to(client: Client) -> None:
    subscription = subscribe(client, make_paying_customer(client))
    client.v1.subscriptions.update(subscription.id, {"pause_collection": {"behavior": "void"}})
    assert client.v1.subscriptions.update(subscription.id, {"pause_collection": ""}).pause_collection is None


@pytest.mark.parametrize(
    ("behavior", "status", "invoices"),
    [("cancel", "canceled", 1), ("pause", "paused", 1), ("create_invoice", "past_due", 2)],
)
def test_trial_that_ends_without_a_card(
    behavior: Any, status: str, invoices: int, client: Client, control: Control
) -> None:
    customer = client.v1.customers.create({"name": "Acme"})
    subscription = subscribe(
        client,
        customer,
        trial_period_days=7,
        trial_settings={"end_behavior": {"missing_payment_method": behavior}},
    )
    assert subscription.trial_settings.end_behavior.missing_payment_method == behavior
    control.advance(days=7, hours=2)
    after = read(client, subscription)
    assert after.status == status
    assert len(client.v1.invoices.list({"customer": customer.id}).data) == invoices


def test_paused_subscription_is_resumed_by_paying(client: Client, control: Control) -> None:
    customer = client.v1.customers.create({"name": "Acme"})
    subscription = subscribe(
        client,
        customer,
        trial_period_days=7,
        trial_settings={"end_behavior": {"missing_payment_method": "pause"}},
    )
    control.advance(days=7, hours=2)
    with pytest.raises(stripe.InvalidRequestError) as nothing:
        client.v1.invoices.create_preview({"subscription": subscription.id})
    assert nothing.value.code == "invoice_upcoming_none"
    control.advance(days=60)
    pay_with(client, customer, "pm_card_visa")
    resumed = client.v1.subscriptions.resume(subscription.id)
    assert problems_of_resource(resumed) == []
    assert resumed.status == "active"
    assert read(client, subscription).latest_invoice.amount_paid == 10000
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.subscriptions.resume(subscription.id)


def test_trial_with_a_card_goes_on(client: Client, control: Control) -> None:
    subscription = subscribe(
        client,
        make_paying_customer(client),
        trial_period_days=7,
        trial_settings={"end_behavior": {"missing_payment_method": "cancel"}},
    )
    control.advance(days=7, hours=2)
    assert read(client, subscription).status == "active"


def test_invoice_that_was_sent_falls_overdue(client: Client, control: Control) -> None:
    subscription = subscribe(
        client, client.v1.customers.create({}), collection_method="send_invoice", days_until_due=14
    )
    control.advance(days=13)
    assert read(client, subscription).status == "active"
    control.advance(days=2)
    after = read(client, subscription)
    assert (after.status, after.latest_invoice.status) == ("past_due", "open")
    client.v1.invoices.pay(after.latest_invoice.id, {"paid_out_of_band": True})
    assert read(client, subscription).status == "active"


@pytest.mark.parametrize("which", ["min_period_end", "max_period_end"])
def test_end_at_the_first_or_last_period_end(which: Any, client: Client, control: Control) -> None:
    customer = make_paying_customer(client)
    prices = [make_price(client), make_price(client, recurring={"interval": "year"})]
    subscription = subscribe(client, customer, items=[{"price": price.id} for price in prices])
    ends = [item.current_period_end for item in subscription["items"].data]
    changed = client.v1.subscriptions.update(subscription.id, {"cancel_at": which})
    assert (changed.cancel_at, changed.cancel_at_period_end) == (
        (min if "min" in which else max)(ends),
        False,
    )
    waiting = client.v1.invoice_items.list({"customer": customer.id, "pending": True}).data
    assert [one.amount < 0 for one in waiting] == ([True] if "min" in which else [])
    control.set_clock(changed.cancel_at or 0)
    assert read(client, subscription).status == "canceled"


def test_the_end_of_the_period_is_that_of_the_item_that_ends_first(client: Client) -> None:
    """https://docs.stripe.com/changelog/basil/2025-07-30/cancel-at-enums"""
    prices = [make_price(client), make_price(client, recurring={"interval": "year"})]
    subscription = subscribe(
        client, make_paying_customer(client), items=[{"price": price.id} for price in prices]
    )
    changed = client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    assert changed.cancel_at == min(item.current_period_end for item in changed["items"].data)


def test_why_a_subscription_ends_is_kept_until_it_no_longer_does(client: Client) -> None:
    subscription = subscribe(client, make_paying_customer(client))
    why: Any = {"feedback": "too_expensive", "comment": "We need it for a season only."}
    ending = client.v1.subscriptions.update(
        subscription.id, {"cancel_at_period_end": True, "cancellation_details": why}
    )
    assert problems_of_resource(ending) == []
    assert ending.cancellation_details
    assert ending.cancellation_details.to_dict() == {**why, "reason": "cancellation_requested"}
    kept = client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": False})
    assert kept.cancellation_details
    assert kept.cancellation_details.reason is None


def test_incomplete_subscription_takes_no_other_items(client: Client) -> None:
    subscription = subscribe(client, make_paying_customer(client, DECLINING))
    assert subscription.status == "incomplete"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        grow(client, subscription)
    assert refused.value.param == "items"


def test_own_payment_method_pays_before_the_customers(client: Client, control: Control) -> None:
    customer = make_paying_customer(client, DECLINING)
    own = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    subscription = subscribe(client, customer, default_payment_method=own.id)
    assert subscription.status == "active"
    client.v1.subscriptions.update(subscription.id, {"default_payment_method": ""})
    control.advance(days=32)
    assert read(client, subscription).status == "past_due"
