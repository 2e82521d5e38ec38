"""More requests in a second than Stripe takes are refused, and do nothing."""

import pytest
import stripe

from stripe_simulator.control import Control
from stripe_simulator.errors import StripeError
from stripe_simulator.rate import Rate


def test_a_second_takes_so_many_and_the_next_one_as_many_again() -> None:
    now = [10.0]
    rate = Rate(lambda: now[0])
    rate.per_second = 2
    rate.take()
    now[0] = 10.9
    rate.take()
    with pytest.raises(StripeError, match="rate limit"):
        rate.take()
    now[0] = 11.0
    rate.take()


def test_what_is_refused_does_nothing(client: stripe.StripeClient, control: Control) -> None:
    control.limit_rate(0)
    with pytest.raises(stripe.RateLimitError):
        client.v1.customers.create({"name": "Too much"})
    control.limit_rate(None)
    assert client.v1.customers.list().data == []
