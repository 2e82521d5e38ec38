"""Idempotency keys, where only the simulator can be made to fail or to wait."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

from stripe_simulator.control import Control

Client = stripe.StripeClient
KEY: stripe.RequestOptions = {"idempotency_key": "the-key"}


def test_500_is_replayed_and_the_work_never_done(client: Client, control: Control) -> None:
    control.fail(500, path="/v1/customers")
    for _ in range(2):
        with pytest.raises(stripe.APIError) as failed:
            client.v1.customers.create({"name": "Acme"}, KEY)
        assert failed.value.http_status == 500
    assert failed.value.headers is not None
    assert failed.value.headers["Idempotent-Replayed"] == "true"
    assert client.v1.customers.list().data == []


def test_503_is_forgotten_so_that_a_retry_works(client: Client, control: Control) -> None:
    control.fail(503, path="/v1/customers")
    with pytest.raises(stripe.APIError):
        client.v1.customers.create({"name": "Acme"}, KEY)
    assert client.v1.customers.create({"name": "Acme"}, KEY).name == "Acme"


def test_work_whose_answer_was_lost_is_done_once(client: Client, control: Control) -> None:
    control.drop(method="POST", path="/v1/customers")
    with pytest.raises(stripe.APIConnectionError):
        client.v1.customers.create({"name": "Acme"}, KEY)
    again = client.v1.customers.create({"name": "Acme"}, KEY)
    assert [customer.id for customer in client.v1.customers.list().data] == [again.id]


def test_work_lost_before_it_began_is_done_by_the_retry(client: Client, control: Control) -> None:
    control.drop(path="/v1/customers", when="before")
    with pytest.raises(stripe.APIConnectionError):
        client.v1.customers.create({"name": "Acme"}, KEY)
    assert client.v1.customers.list().data == []
    assert client.v1.customers.create({"name": "Acme"}, KEY).name == "Acme"


def test_failure_after_the_work_keeps_work_and_failure(client: Client, control: Control) -> None:
    control.fail(500, path="/v1/customers", when="after")
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            client.v1.customers.create({"name": "Acme"}, KEY)
    assert len(client.v1.customers.list().data) == 1


def test_key_in_use_answers_409(client: Client, control: Control) -> None:
    control.delay(0.3, path="/v1/customers")

    def create(_: int) -> str:
        try:
            return client.v1.customers.create({"name": "Acme"}, KEY).id
        except stripe.APIError as error:
            body: Any = error.json_body
            return f"{error.http_status} {error.code or body['error']['code']}"

    with ThreadPoolExecutor(4) as people:
        answers = list(people.map(create, range(4)))
    assert sorted(answers)[:3] == ["409 idempotency_key_in_use"] * 3
    assert len(client.v1.customers.list().data) == 1


def test_key_of_another_endpoint_is_refused(client: Client) -> None:
    client.v1.customers.create({"name": "Acme"}, KEY)
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        client.v1.products.create({"name": "Acme"}, KEY)


def test_key_is_forgotten_after_a_day(client: Client, control: Control) -> None:
    first = client.v1.customers.create({"name": "Acme"}, KEY)
    control.advance(hours=23)
    assert client.v1.customers.create({"name": "Acme"}, KEY).id == first.id
    control.advance(hours=2)
    assert client.v1.customers.create({"name": "Acme"}, KEY).id != first.id


def test_declined_charge_is_replayed_and_not_tried_again(client: Client) -> None:
    customer = client.v1.customers.create({"name": "Acme"})
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            client.v1.payment_methods.attach("pm_card_chargeDeclined", {"customer": customer.id}, KEY)


def test_replay_can_be_lost_too(client: Client, control: Control) -> None:
    control.drop(method="POST", path="/v1/customers", count=2)
    for _ in range(2):
        with pytest.raises(stripe.APIConnectionError):
            client.v1.customers.create({"name": "Acme"}, KEY)
    client.v1.customers.create({"name": "Acme"}, KEY)
    assert len(client.v1.customers.list().data) == 1


def test_failed_replay_does_not_replace_the_first_answer(client: Client, control: Control) -> None:
    first = client.v1.customers.create({"name": "Acme"}, KEY)
    control.fail(500)
    with pytest.raises(stripe.APIError):
        client.v1.customers.create({"name": "Acme"}, KEY)
    assert client.v1.customers.create({"name": "Acme"}, KEY).id == first.id
