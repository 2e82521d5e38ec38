"""Test clocks: some customers' time stands still until it is moved."""

import pytest
import stripe

from stripe_simulator.control import Control
from stripe_simulator.tests.conftest import make_paying_customer, make_price
from stripe_simulator.tests.resource_types import problems_of_resource

Client = stripe.StripeClient
START = 1_800_000_000
MONTH = 31 * 86400


@pytest.fixture
def clock(client: Client) -> stripe.test_helpers.TestClock:
    made = client.v1.test_helpers.test_clocks.create({"frozen_time": START, "name": "Renewals"})
    assert problems_of_resource(made) == []
    return made


def subscribe(client: Client, customer: stripe.Customer) -> stripe.Subscription:
    price = make_price(client, 5000)
    return client.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})


def invoices(client: Client, customer: stripe.Customer) -> int:
    return len(client.v1.invoices.list({"customer": customer.id}).data)


def test_a_clock_moves_its_own_customers_only(
    client: Client, control: Control, clock: stripe.test_helpers.TestClock
) -> None:
    frozen, other = make_paying_customer(client, test_clock=clock.id), make_paying_customer(client)
    made = subscribe(client, frozen)
    subscribe(client, other)
    assert problems_of_resource(made) == []
    assert (made.created, made.test_clock) == (START, clock.id)
    moved = client.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": START + MONTH + 7200})
    assert problems_of_resource(moved) == []
    assert moved.status == "advancing"
    ready = client.v1.test_helpers.test_clocks.retrieve(clock.id)
    assert problems_of_resource(ready) == []
    assert (ready.status, ready.frozen_time) == ("ready", START + MONTH + 7200)
    assert (invoices(client, frozen), invoices(client, other)) == (2, 1)
    latest = client.v1.invoices.list({"customer": frozen.id}).data[0]
    assert (latest.status, latest.test_clock) == ("paid", clock.id)
    assert START + 27 * 86400 < latest.created <= START + MONTH


def test_the_simulators_own_time_leaves_a_frozen_customer_alone(
    client: Client, control: Control, clock: stripe.test_helpers.TestClock
) -> None:
    frozen, other = make_paying_customer(client, test_clock=clock.id), make_paying_customer(client)
    subscribe(client, frozen)
    subscribe(client, other)
    control.set_clock(max(control.now(), START) + 40 * 86400)
    assert invoices(client, frozen) == 1
    assert invoices(client, other) > 1


def test_a_clock_goes_forward_and_ends_with_its_customers(
    client: Client, clock: stripe.test_helpers.TestClock
) -> None:
    frozen = make_paying_customer(client, test_clock=clock.id)
    with pytest.raises(stripe.InvalidRequestError, match="after"):
        client.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": START})
    assert client.v1.test_helpers.test_clocks.delete(clock.id).deleted
    assert client.v1.customers.retrieve(frozen.id).deleted
    assert client.v1.test_helpers.test_clocks.list().data == []
    assert problems_of_resource(client.v1.events.list({"limit": 100})) == []
