"""The checker of answers sees what is wrong with one, so that its silence means something."""

from typing import Any

import pytest
import stripe

from stripe_simulator.tests.conftest import make_paying_customer, make_price
from stripe_simulator.tests.resource_types import answer_of, problems_of


@pytest.fixture
def subscription(client: stripe.StripeClient) -> dict[str, Any]:
    customer, price = make_paying_customer(client), make_price(client)
    made = client.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": price.id}], "expand": ["customer", "latest_invoice"]}
    )
    answer = answer_of(made)
    assert problems_of(answer) == []
    return answer


def test_unknown_field_is_seen(subscription: dict[str, Any]) -> None:
    subscription["current_period_end"] = 1
    assert problems_of(subscription) == ["subscription.current_period_end: unknown to Subscription"]


def test_missing_field_is_seen(subscription: dict[str, Any]) -> None:
    del subscription["items"]["data"][0]["current_period_end"]
    assert problems_of(subscription) == ["subscription.items.data[0].current_period_end: missing"]


def test_wrong_type_is_seen(subscription: dict[str, Any]) -> None:
    subscription["items"]["data"][0]["quantity"] = "1"
    (problem,) = problems_of(subscription)
    assert problem.startswith("subscription.items.data[0].quantity")


def test_unknown_status_is_seen(subscription: dict[str, Any]) -> None:
    subscription["status"] = "lively"
    (problem,) = problems_of(subscription)
    assert problem.startswith("subscription.status")


def test_wrong_field_inside_an_expanded_object_is_seen(subscription: dict[str, Any]) -> None:
    subscription["latest_invoice"]["total"] = None
    subscription["customer"]["sort"] = "large"
    assert sorted(problems_of(subscription)) == [
        "subscription.customer.sort: unknown to Customer",
        "subscription.latest_invoice.total: None is no int",
    ]


def test_null_where_none_is_allowed_is_seen(subscription: dict[str, Any]) -> None:
    subscription["collection_method"] = None
    assert problems_of(subscription) == ["subscription.collection_method: null"]
