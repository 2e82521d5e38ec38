"""Subscriptions over time: renewals, failures, trials, changes and ends."""

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from stripe_simulator.control import Control
from stripe_simulator.tests.conftest import make_paying_customer, make_price
from stripe_simulator.tests.resource_types import problems_of_resource

Client = stripe.StripeClient


def subscribe(client: Client, customer: stripe.Customer, **params: Any) -> stripe.Subscription:
    price = make_price(client)
    given: Any = {"customer": customer.id, "items": [{"price": price.id, "quantity": 2}], **params}
    return client.v1.subscriptions.create(given)


def statuses(client: Client, customer: stripe.Customer) -> list[str | None]:
    """Of the customer's invoices, the newest first."""
    return [invoice.status for invoice in client.v1.invoices.list({"customer": customer.id}).data]


def test_renewal_is_a_draft_for_an_hour_and_then_paid(client: Client, control: Control) -> None:
    customer = make_paying_customer(client, invoice_prefix="ACME0001")
    before = subscribe(client, customer)
    (item,) = before["items"].data
    control.set_clock(item.current_period_end)
    renewed = client.v1.subscriptions.retrieve(before.id, {"expand": ["latest_invoice"]})
    assert problems_of_resource(renewed) == []
    (later,) = renewed["items"].data
    assert later.current_period_start == item.current_period_end
    assert isinstance(renewed.latest_invoice, stripe.Invoice)
    assert renewed.latest_invoice.status == "draft"
    assert renewed.latest_invoice.billing_reason == "subscription_cycle"
    control.advance(hours=1)
    listed = client.v1.invoices.list({"subscription": before.id})
    assert problems_of_resource(listed) == []
    assert [(invoice.number, invoice.status, invoice.total) for invoice in listed.data] == [
        ("ACME0001-0002", "paid", 15000),
        ("ACME0001-0001", "paid", 15000),
    ]
    (line,) = listed.data[0].lines.data
    assert (line.period.start, line.period.end) == (later.current_period_start, later.current_period_end)


def test_long_jump_renews_each_month_in_order(client: Client, control: Control) -> None:
    start = int(datetime(2027, 1, 31, 9, tzinfo=UTC).timestamp())
    control.set_clock(start)
    customer = make_paying_customer(client)
    subscribe(client, customer)
    control.set_clock(int(datetime(2027, 5, 1, tzinfo=UTC).timestamp()))
    days = [
        datetime.fromtimestamp(invoice.created, UTC).strftime("%m-%d")
        for invoice in client.v1.invoices.list({"customer": customer.id}).data
    ]
    assert days == ["04-30", "03-31", "02-28", "01-31"]
    assert statuses(client, customer) == ["paid"] * 4


def test_charges_are_counted_once_per_period(client: Client, control: Control) -> None:
    customer = make_paying_customer(client)
    subscribe(client, customer)
    control.advance(days=32)
    control.advance(days=1)
    charges = client.v1.charges.list({"customer": customer.id})
    assert problems_of_resource(charges) == []
    assert [charge.amount for charge in charges.data] == [15000, 15000]


def test_failing_renewal_is_past_due_and_tried_three_more_times(client: Client, control: Control) -> None:
    customer = make_paying_customer(client)
    made = subscribe(client, customer)
    failing = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer.id})
    client.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": failing.id}})
    control.set_clock(made["items"].data[0].current_period_end)
    control.advance(hours=1)
    late = client.v1.subscriptions.retrieve(made.id, {"expand": ["latest_invoice"]})
    assert late.status == "past_due"
    assert isinstance(late.latest_invoice, stripe.Invoice)
    assert (late.latest_invoice.status, late.latest_invoice.attempt_count) == ("open", 1)
    assert client.v1.customers.retrieve(customer.id).delinquent
    control.advance(days=16)
    invoice = client.v1.invoices.retrieve(late.latest_invoice.id)
    assert (invoice.attempt_count, invoice.next_payment_attempt) == (4, None)


def test_paying_the_open_invoice_makes_the_subscription_active_again(
    client: Client, control: Control
) -> None:
    customer = make_paying_customer(client)
    made = subscribe(client, customer)
    (method,) = client.v1.customers.payment_methods.list(customer.id).data
    client.v1.payment_methods.detach(method.id)
    control.advance(days=32)
    assert client.v1.subscriptions.retrieve(made.id).status == "past_due"
    (invoice, _) = client.v1.invoices.list({"customer": customer.id}).data
    fresh = client.v1.payment_methods.attach("pm_card_mastercard", {"customer": customer.id})
    assert client.v1.invoices.pay(invoice.id, {"payment_method": fresh.id}).status == "paid"
    assert client.v1.subscriptions.retrieve(made.id).status == "active"
    assert not client.v1.customers.retrieve(customer.id).delinquent


def test_first_payment_that_fails_leaves_it_incomplete_and_expires(client: Client, control: Control) -> None:
    customer = make_paying_customer(client, "pm_card_chargeCustomerFail")
    made = subscribe(client, customer)
    assert made.status == "incomplete"
    assert statuses(client, customer) == ["open"]
    control.advance(hours=24)
    assert client.v1.subscriptions.retrieve(made.id).status == "incomplete_expired"
    assert statuses(client, customer) == ["void"]


def test_error_if_incomplete_makes_nothing(client: Client) -> None:
    customer = make_paying_customer(client, "pm_card_chargeCustomerFail")
    with pytest.raises(stripe.CardError):
        subscribe(client, customer, payment_behavior="error_if_incomplete")
    assert client.v1.subscriptions.list({"customer": customer.id, "status": "all"}).data == []
    assert statuses(client, customer) == []


def test_trial_costs_nothing_until_it_ends(client: Client, control: Control) -> None:
    customer = make_paying_customer(client)
    made = subscribe(client, customer, trial_period_days=14)
    assert made.status == "trialing"
    assert [invoice.total for invoice in client.v1.invoices.list({"customer": customer.id}).data] == [0]
    control.advance(days=14, hours=2)
    assert client.v1.subscriptions.retrieve(made.id).status == "active"
    assert [invoice.total for invoice in client.v1.invoices.list({"customer": customer.id}).data] == [
        15000,
        0,
    ]


def test_sent_invoice_waits_to_be_paid(client: Client, control: Control) -> None:
    customer = client.v1.customers.create({"name": "Acme"})
    subscribe(client, customer, collection_method="send_invoice", days_until_due=14)
    control.advance(hours=1)
    (invoice,) = client.v1.invoices.list({"customer": customer.id}).data
    assert (invoice.status, invoice.attempted) == ("open", False)
    assert invoice.due_date is not None
    assert invoice.due_date - invoice.created == 14 * 86400


def test_changed_quantity_is_prorated_on_the_next_invoice(client: Client, control: Control) -> None:
    customer = make_paying_customer(client)
    made = subscribe(client, customer)
    (item,) = made["items"].data
    control.set_clock((item.current_period_start + item.current_period_end) // 2)
    change: Any = {"items": [{"id": item.id, "quantity": 4}]}
    preview = client.v1.invoices.create_preview({"subscription": made.id, "subscription_details": change})
    client.v1.subscriptions.update(made.id, change)
    pending = client.v1.invoice_items.list({"customer": customer.id, "pending": True})
    assert problems_of_resource(pending) == []
    assert sorted(line.amount for line in pending.data) == [-7500, 15000]
    control.set_clock(item.current_period_end + 3600)
    (renewal, _) = client.v1.invoices.list({"customer": customer.id}).data
    assert renewal.total == 30000 + 7500
    assert preview.total == renewal.total


def test_preview_changes_nothing(client: Client, control: Control) -> None:
    customer = make_paying_customer(client)
    made = subscribe(client, customer)
    events = len(client.v1.events.list({"limit": 100}).data)
    change: Any = {"items": [{"id": made["items"].data[0].id, "quantity": 9}]}
    preview = client.v1.invoices.create_preview({"subscription": made.id, "subscription_details": change})
    assert problems_of_resource(preview) == []
    assert client.v1.subscriptions.retrieve(made.id)["items"].data[0].quantity == 2
    assert len(client.v1.invoices.list({"customer": customer.id}).data) == 1
    assert client.v1.invoice_items.list({"customer": customer.id}).data == []
    assert len(client.v1.events.list({"limit": 100}).data) == events


def test_preview_of_a_new_subscription(client: Client) -> None:
    customer, price = make_paying_customer(client), make_price(client)
    preview = client.v1.invoices.create_preview(
        {"customer": customer.id, "subscription_details": {"items": [{"price": price.id, "quantity": 3}]}}
    )
    assert (preview.total, preview.status) == (22500, "draft")
    assert client.v1.subscriptions.list({"customer": customer.id}).data == []


def test_cancel_at_period_end_ends_then(client: Client, control: Control) -> None:
    customer = make_paying_customer(client)
    made = subscribe(client, customer)
    end = made["items"].data[0].current_period_end
    assert client.v1.subscriptions.update(made.id, {"cancel_at_period_end": True}).cancel_at == end
    control.set_clock(end)
    ended = client.v1.subscriptions.retrieve(made.id)
    assert problems_of_resource(ended) == []
    assert (ended.status, ended.ended_at) == ("canceled", end)
    assert statuses(client, customer) == ["paid"]
    assert client.v1.subscriptions.list({"customer": customer.id}).data == []


def test_canceled_subscription_renews_no_more(client: Client, control: Control) -> None:
    customer = make_paying_customer(client)
    made = subscribe(client, customer)
    assert client.v1.subscriptions.cancel(made.id).status == "canceled"
    control.advance(days=70)
    assert statuses(client, customer) == ["paid"]


def test_deleting_the_customer_cancels(client: Client) -> None:
    customer = make_paying_customer(client)
    made = subscribe(client, customer)
    client.v1.customers.delete(customer.id)
    assert client.v1.subscriptions.retrieve(made.id).status == "canceled"


def test_one_time_price_is_refused(client: Client) -> None:
    customer = make_paying_customer(client)
    product = client.v1.products.create({"name": "Once"})
    price = client.v1.prices.create({"product": product.id, "currency": "usd", "unit_amount": 100})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})
    assert refused.value.param == "items[0][price]"


def test_card_given_with_a_new_customer_can_be_the_default_at_once(client: Client) -> None:
    customer = client.v1.customers.create(
        {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    )
    (method,) = client.v1.customers.payment_methods.list(customer.id).data
    assert customer.invoice_settings is not None
    assert customer.invoice_settings.default_payment_method == method.id
    assert subscribe(client, customer).status == "active"
