"""The control port: faults are one-shot and visible, requests are listed, reset forgets."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe

from stripe_simulator.control import Control, ControlError
from stripe_simulator.tests.conftest import Receiver, make_client

Client = stripe.StripeClient


def test_fault_hits_what_matches_and_then_is_gone(client: Client, control: Control) -> None:
    customer = client.v1.customers.create({"name": "Acme"})
    control.fail(503, method="GET", path="/v1/customers/*", count=2)
    assert control.state()["faults"][0]["count"] == 2
    client.v1.customers.list()
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            client.v1.customers.retrieve(customer.id)
    assert control.state()["faults"] == []
    assert client.v1.customers.retrieve(customer.id).name == "Acme"


def test_fault_can_answer_anything(client: Client, control: Control) -> None:
    control.fail(429, body={"error": {"type": "invalid_request_error", "message": "Slow down"}})
    with pytest.raises(stripe.RateLimitError, match="Slow down"):
        client.v1.customers.list()


def test_delay_outlasts_an_impatient_client_yet_the_work_is_done(client: Client, control: Control) -> None:
    impatient = stripe.StripeClient(
        "sk_test_simulator",
        base_addresses={"api": control.url},
        max_network_retries=0,
        http_client=stripe.RequestsClient(timeout=0.1),
    )
    control.delay(30, method="POST", path="/v1/customers", when="after")
    with pytest.raises(stripe.APIConnectionError):
        impatient.v1.customers.create({"name": "Acme"})
    deadline = time.monotonic() + 10
    # The client may give up before the request is read.
    while not client.v1.customers.list().data and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [customer.name for customer in client.v1.customers.list().data] == ["Acme"]


def test_delay_of_one_request_holds_up_no_other(client: Client, control: Control) -> None:
    control.delay(30, path="/v1/products")
    began = time.monotonic()
    impatient = stripe.StripeClient(
        "sk_test_simulator",
        base_addresses={"api": control.url},
        max_network_retries=0,
        http_client=stripe.RequestsClient(timeout=0.05),
    )
    with pytest.raises(stripe.APIConnectionError):
        impatient.v1.products.list()
    client.v1.customers.list()
    assert time.monotonic() - began < 10


def test_request_that_still_waits_at_a_reset_is_given_up(client: Client, control: Control) -> None:
    control.delay(30, path="/v1/customers")
    with ThreadPoolExecutor(1) as person:
        waiting = person.submit(client.v1.customers.create, {"name": "Ghost"})
        while control.state()["faults"]:
            pass
        control.reset()
        with pytest.raises(stripe.APIConnectionError):
            waiting.result()
    assert client.v1.customers.list().data == []


def test_requests_are_listed_with_parameters_and_keys(client: Client, control: Control) -> None:
    client.v1.customers.create({"name": "Acme"}, {"idempotency_key": "a-key"})
    client.v1.customers.create({"name": "Acme"}, {"idempotency_key": "a-key"})
    client.v1.customers.list()
    seen = control.requests(method="POST", path="/v1/customers")
    assert [(entry["params"], entry["idempotency_key"], entry["replayed"]) for entry in seen] == [
        ({"name": "Acme"}, "a-key", False),
        ({"name": "Acme"}, "a-key", True),
    ]
    control.forget_requests()
    assert control.requests() == []


def test_reset_forgets_all_but_the_webhook_address(
    client: Client, control: Control, receiver: Receiver
) -> None:
    control.fail(500, count=5)
    control.clear_faults()
    client.v1.customers.create({"name": "Acme"}, {"idempotency_key": "a-key"})
    control.advance(days=3)
    control.fail(500, count=5)
    control.reset()
    state = control.state()
    assert (state["faults"], state["clock"]["offset"]) == ([], 0)
    assert state["webhooks"]["url"] == receiver.url
    assert client.v1.customers.list().data == []
    assert client.v1.customers.create({"name": "Other"}, {"idempotency_key": "a-key"}).name == "Other"


def test_clock_stamps_what_is_made(client: Client, control: Control) -> None:
    control.set_clock(2_000_000_000)
    assert client.v1.customers.create({"name": "Acme"}).created - 2_000_000_000 in range(5)


def test_unknown_control_is_refused(control: Control) -> None:
    with pytest.raises(ControlError):
        control._call("POST", "nothing")
    with pytest.raises(ControlError):
        control._call("POST", "faults", {"kind": "explode"})


def test_wrong_key_is_refused_before_anything_else(control: Control) -> None:
    with pytest.raises(stripe.AuthenticationError, match=r"Invalid API Key provided: sk_test_\*+ther"):
        make_client(control.url, "sk_test_some_other").v1.customers.create({"name": "Acme"})


def test_browser_form_of_another_site_cannot_steer(control: Control) -> None:
    status, _, _ = control._send("POST", "/_control/reset", "{}", "text/plain")
    assert status == 415
