"""Events and their delivery: signed, repeated until received, and held or disturbed on order."""

import pytest
import stripe

from stripe_simulator.control import Control, ControlError
from stripe_simulator.tests.conftest import Receiver, make_paying_customer, make_price, setup_session
from stripe_simulator.tests.resource_types import problems_of_resource

Client = stripe.StripeClient


def test_events_arrive_signed_and_in_order(client: Client, control: Control, receiver: Receiver) -> None:
    customer = client.v1.customers.create({"name": "Before"})
    client.v1.customers.update(customer.id, {"name": "After"})
    client.v1.customers.delete(customer.id)
    assert control.wait_for_webhooks()
    assert receiver.types == ["customer.created", "customer.updated", "customer.deleted"]
    created, updated, deleted = receiver.events
    assert created.data.object["name"] == "Before"
    assert updated.data.previous_attributes is not None
    assert updated.data.previous_attributes["name"] == "Before"
    assert deleted.data.object["name"] == "After"
    assert updated.api_version == stripe.api_version
    assert updated.request is not None
    assert str(updated.request.id).startswith("req_")


def test_completed_checkout_tells_of_card_intent_and_session(
    client: Client, control: Control, receiver: Receiver
) -> None:
    customer = client.v1.customers.create({"name": "Acme"})
    session = setup_session(client, customer.id)
    control.enter_card(str(session.url))
    assert control.wait_for_webhooks()
    assert receiver.types == [
        "customer.created",
        "setup_intent.created",
        "payment_method.attached",
        "setup_intent.succeeded",
        "checkout.session.completed",
    ]
    assert receiver.events[-1].data.object["status"] == "complete"


def test_renewal_tells_each_step(client: Client, control: Control, receiver: Receiver) -> None:
    customer, price = make_paying_customer(client), make_price(client)
    client.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})
    assert control.wait_for_webhooks()
    receiver.events.clear()
    control.advance(days=32)
    assert control.wait_for_webhooks()
    told = [kind for kind in receiver.types if kind.startswith(("invoice.", "customer."))]
    assert told == [
        "invoice.created",
        "customer.subscription.updated",
        "invoice.finalized",
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
    ]
    moved = next(event for event in receiver.events if event.type == "customer.subscription.updated")
    assert moved.data.previous_attributes is not None
    assert {"items", "latest_invoice"} <= set(moved.data.previous_attributes.to_dict())


def test_every_event_holds_what_its_class_allows(client: Client, control: Control) -> None:
    customer, price = make_paying_customer(client), make_price(client)
    made = client.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})
    failing = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer.id})
    client.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": failing.id}})
    control.advance(days=40)
    client.v1.subscriptions.update(made.id, {"items": [{"id": made["items"].data[0].id, "quantity": 2}]})
    client.v1.subscriptions.cancel(made.id)
    control.enter_card(str(setup_session(client, customer.id).url))
    control.enter_card(str(setup_session(client, customer.id).url), number="4000000000000002")
    setup_session(client, customer.id)
    control.advance(days=1, seconds=1)
    client.v1.customers.delete(customer.id)
    pages = [client.v1.events.list({"limit": 100})]
    while pages[-1].has_more:
        pages.append(client.v1.events.list({"limit": 100, "starting_after": pages[-1].data[-1].id}))
    assert [problem for page in pages for problem in problems_of_resource(page)] == []
    kinds = {event.type for page in pages for event in page.data}
    assert {"invoice.payment_failed", "customer.subscription.deleted", "setup_intent.setup_failed"} <= kinds
    assert "checkout.session.expired" in kinds


def test_undelivered_event_is_sent_again_and_listed_until_then(
    client: Client, control: Control, receiver: Receiver
) -> None:
    receiver.answers += [500, 302]
    client.v1.customers.create({"name": "Acme"})
    while not control.wait_for_webhooks(0.05):
        assert [event.pending_webhooks for event in client.v1.events.list().data] == [1]
        control.retry_webhooks()
    assert receiver.types == ["customer.created"]
    assert client.v1.events.list({"delivery_success": False}).data == []
    assert [event.pending_webhooks for event in client.v1.events.list().data] == [0]


def test_held_webhooks_come_in_the_order_asked_for(
    client: Client, control: Control, receiver: Receiver
) -> None:
    for order in ("first", "reverse", "shuffle"):
        receiver.events.clear()
        control.hold_webhooks()
        made = [client.v1.customers.create({"name": str(i)}).id for i in range(5)]
        assert receiver.events == []
        assert len(client.v1.events.list({"delivery_success": False}).data) == 5
        assert control.release_webhooks(order, seed=3) == 5
        assert control.wait_for_webhooks()
        arrived = [event.data.object["id"] for event in receiver.events]
        assert sorted(arrived) == sorted(made)
        if order != "shuffle":
            assert arrived == (made if order == "first" else made[::-1])
        else:
            assert arrived not in (made, made[::-1])


def test_dropped_event_is_listed_but_never_sent(client: Client, control: Control, receiver: Receiver) -> None:
    control.drop_webhooks(1)
    lost = client.v1.customers.create({"name": "Lost"})
    client.v1.customers.create({"name": "Found"})
    assert control.wait_for_webhooks()
    assert [event.data.object["name"] for event in receiver.events] == ["Found"]
    (undelivered,) = client.v1.events.list({"delivery_success": False}).data
    assert undelivered.data.object["id"] == lost.id
    control.resend_webhook(undelivered.id)
    assert control.wait_for_webhooks()
    assert [event.data.object["name"] for event in receiver.events] == ["Found", "Lost"]


def test_duplicated_event_arrives_so_often(client: Client, control: Control, receiver: Receiver) -> None:
    control.duplicate_webhooks(1, times=3)
    client.v1.customers.create({"name": "Often"})
    client.v1.customers.create({"name": "Once"})
    assert control.wait_for_webhooks()
    assert [event.data.object["name"] for event in receiver.events] == ["Often"] * 4 + ["Once"]
    assert len({event.id for event in receiver.events}) == 2


def test_replaced_endpoint_gets_what_was_waiting(
    client: Client, control: Control, receiver: Receiver
) -> None:
    control.set_webhook_endpoint("http://127.0.0.1:9/")
    client.v1.customers.create({"name": "Acme"})
    control.set_webhook_endpoint(receiver.url)
    assert control.wait_for_webhooks()
    assert receiver.types == ["customer.created"]


def test_unknown_event_is_not_sent_again(control: Control) -> None:
    with pytest.raises(ControlError, match="No such event"):
        control.resend_webhook("evt_missing")


def test_events_are_filtered_by_type(client: Client) -> None:
    customer = client.v1.customers.create({"name": "Acme"})
    client.v1.customers.update(customer.id, {"name": "Acme Ltd"})
    client.v1.customers.delete(customer.id)
    listed = client.v1.events.list({"types": ["customer.created", "customer.deleted"]})
    assert [event.type for event in listed.data] == ["customer.deleted", "customer.created"]
    assert problems_of_resource(listed) == []


def test_update_that_changes_nothing_makes_no_event(client: Client) -> None:
    customer = client.v1.customers.create({"name": "Acme"})
    client.v1.customers.update(customer.id, {"name": "Acme"})
    assert [event.type for event in client.v1.events.list().data] == ["customer.created"]


def test_the_endpoint_is_listed(client: Client, control: Control, receiver: Receiver) -> None:
    listed = client.v1.webhook_endpoints.list()
    assert problems_of_resource(listed) == []
    (endpoint,) = listed.data
    assert (endpoint.url, endpoint.status, endpoint.enabled_events) == (receiver.url, "enabled", ["*"])
    assert endpoint.api_version == stripe.api_version
    control.set_webhook_endpoint(None)
    assert client.v1.webhook_endpoints.list().data == []
