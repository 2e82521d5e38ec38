"""Subscription schedules: what is planned is what the renewal bills, and a release leaves all as it is."""

from typing import Any

import pytest
import stripe

from stripe_simulator.control import Control
from stripe_simulator.tests.conftest import make_paying_customer, make_price
from stripe_simulator.tests.resource_types import problems_of_resource

Client = stripe.StripeClient
YEAR = {"interval": "year"}


@pytest.fixture
def subscription(client: Client) -> Any:
    vat = client.v1.tax_rates.create({"display_name": "VAT", "percentage": 20, "inclusive": False})
    coupon = client.v1.coupons.create({"percent_off": 10, "duration": "forever"})
    return client.v1.subscriptions.create(
        {
            "customer": make_paying_customer(client).id,
            "items": [{"price": make_price(client, 1000).id, "quantity": 5}],
            "default_tax_rates": [vat.id],
            "discounts": [{"coupon": coupon.id}],
        }
    )


def plan(client: Client, subscription: Any, price: str, quantity: int, interval: str = "month") -> Any:
    """Let the subscription become that at its period's end."""
    schedule = client.v1.subscription_schedules.create({"from_subscription": subscription.id})
    assert problems_of_resource(schedule) == []
    (phase,) = schedule.phases
    kept = {
        "default_tax_rates": [rate.id for rate in phase.default_tax_rates or []],
        "discounts": [{"discount": str(one.discount)} for one in phase.discounts],
    }
    current: Any = {
        **kept,
        "items": [{"price": str(item.price), "quantity": item.quantity} for item in phase["items"]],
        "start_date": phase.start_date,
        "end_date": phase.end_date,
    }
    following: Any = {
        **kept,
        "items": [{"price": price, "quantity": quantity}],
        "duration": {"interval": interval},
        "proration_behavior": "none",
    }
    planned = client.v1.subscription_schedules.update(
        schedule.id, {"phases": [current, following], "end_behavior": "release"}
    )
    assert problems_of_resource(planned) == []
    return planned


def latest_invoice(client: Client, subscription: str) -> stripe.Invoice:
    return client.v1.invoices.retrieve(str(client.v1.subscriptions.retrieve(subscription).latest_invoice))


def test_phase_changes_the_subscription_when_it_begins_and_not_before(
    client: Client, control: Control, subscription: Any
) -> None:
    before = subscription["items"].data[0]
    planned = plan(client, subscription, before.price.id, 2)
    attached = client.v1.subscriptions.retrieve(subscription.id)
    assert (attached.schedule, attached["items"].data[0].quantity) == (planned.id, 5)
    assert latest_invoice(client, subscription.id).total == 5400
    preview = client.v1.invoices.create_preview({"subscription": subscription.id})
    control.set_clock(before.current_period_end)
    changed = client.v1.subscriptions.retrieve(subscription.id)
    assert [item.quantity for item in changed["items"].data] == [2]
    renewed = latest_invoice(client, subscription.id)
    assert (renewed.total, preview.total) == (2160, 2160)
    assert client.v1.subscription_schedules.retrieve(planned.id).current_phase


def test_last_phase_lets_the_subscription_go(client: Client, control: Control, subscription: Any) -> None:
    item = subscription["items"].data[0]
    planned = plan(client, subscription, item.price.id, 2)
    control.set_clock(item.current_period_end)
    control.advance(days=32)
    released = client.v1.subscriptions.retrieve(subscription.id)
    assert (released.schedule, released["items"].data[0].quantity) == (None, 2)
    ended = client.v1.subscription_schedules.retrieve(planned.id)
    assert problems_of_resource(ended) == []
    assert (ended.status, ended.subscription, ended.current_phase) == ("completed", None, None)


def test_phase_with_another_interval_begins_its_own_period(
    client: Client, control: Control, subscription: Any
) -> None:
    item = subscription["items"].data[0]
    year = make_price(client, 9000, recurring=YEAR)
    plan(client, subscription, year.id, 1, "year")
    control.set_clock(item.current_period_end)
    (changed,) = client.v1.subscriptions.retrieve(subscription.id)["items"].data
    assert changed.current_period_start == item.current_period_end
    assert changed.current_period_end - changed.current_period_start > 364 * 86400
    assert latest_invoice(client, subscription.id).subtotal == 9000


def test_release_leaves_the_subscription_as_it_is(
    client: Client, control: Control, subscription: Any
) -> None:
    item = subscription["items"].data[0]
    planned = plan(client, subscription, item.price.id, 2)
    released = client.v1.subscription_schedules.release(planned.id)
    assert (released.status, released.released_subscription) == ("released", subscription.id)
    control.set_clock(item.current_period_end)
    kept = client.v1.subscriptions.retrieve(subscription.id)
    assert (kept.schedule, kept["items"].data[0].quantity) == (None, 5)
    with pytest.raises(stripe.InvalidRequestError, match="`released` status"):
        client.v1.subscription_schedules.release(planned.id)


def test_a_subscription_has_one_schedule_which_alone_may_end_it(client: Client, subscription: Any) -> None:
    schedule = client.v1.subscription_schedules.create({"from_subscription": subscription.id})
    with pytest.raises(stripe.InvalidRequestError, match="already attached to a schedule"):
        client.v1.subscription_schedules.create({"from_subscription": subscription.id})
    with pytest.raises(stripe.InvalidRequestError, match="managed by the subscription schedule"):
        client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    client.v1.subscriptions.cancel(subscription.id)
    assert client.v1.subscription_schedules.retrieve(schedule.id).status == "canceled"


def test_preview_of_what_recurs_leaves_out_what_waits_and_what_is_prorated(
    client: Client, subscription: Any
) -> None:
    client.v1.invoice_items.create({"customer": subscription.customer, "amount": 700, "currency": "usd"})
    item = subscription["items"].data[0]
    preview = client.v1.invoices.create_preview(
        {
            "subscription": subscription.id,
            "subscription_details": {"items": [{"id": item.id, "quantity": 7}]},
            "preview_mode": "recurring",
        }
    )
    assert problems_of_resource(preview) == []
    assert ([line.amount for line in preview.lines.data], preview.total) == ([7000], 7560)
    waiting = client.v1.invoice_items.list({"customer": str(subscription.customer), "pending": True})
    assert len(waiting.data) == 1
