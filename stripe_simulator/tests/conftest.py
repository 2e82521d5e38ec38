"""A running simulator, its clients, and somebody who receives its webhooks."""

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import stripe

from stripe_simulator.control import Control
from stripe_simulator.server import Running, start

API_KEY = "sk_test_simulator"
WEBHOOK_SECRET = "whsec_simulator"
REAL_KEY = os.environ.get("STRIPE_TEST_SECRET_KEY", "")


@dataclass
class Receiver:
    """Collects the events that were sent to it; answers `answers`' next status, 200 when there is none."""

    url: str = ""
    events: list[stripe.Event] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.events]


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = start(tmp_path_factory.mktemp("stripe"), api_key=API_KEY)
    yield running
    running.stop()


@pytest.fixture
def control(simulator: Running) -> Control:
    control = Control(simulator.url)
    control.set_webhook_endpoint(None, WEBHOOK_SECRET)
    control.reset()
    return control


@pytest.fixture
def client(simulator: Running, control: Control) -> stripe.StripeClient:
    return make_client(simulator.url)


def make_client(url: str, key: str = API_KEY) -> stripe.StripeClient:
    return stripe.StripeClient(key, base_addresses={"api": url}, max_network_retries=0)


@pytest.fixture(params=["simulator", *(["stripe"] if REAL_KEY else [])])
def either(request: pytest.FixtureRequest) -> stripe.StripeClient:
    """The simulator and, where a key is given, Stripe itself."""
    if request.param == "stripe":
        return stripe.StripeClient(REAL_KEY)
    client: stripe.StripeClient = request.getfixturevalue("client")
    return client


@pytest.fixture
def receiver(control: Control) -> Iterator[Receiver]:
    received = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            event = stripe.Webhook.construct_event(body, self.headers["Stripe-Signature"], WEBHOOK_SECRET)
            status = received.answers.pop(0) if received.answers else 200
            if status == 200:
                received.events.append(event)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 # the base class names it so
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    received.url = f"http://127.0.0.1:{server.server_address[1]}/"
    control.set_webhook_endpoint(received.url)
    yield received
    control.set_webhook_endpoint(None)
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def paying(client: stripe.StripeClient) -> Callable[..., stripe.Customer]:
    """Makes a customer whose default card is one of Stripe's test methods."""

    def make(card: str = "pm_card_visa", **params: Any) -> stripe.Customer:
        return make_paying_customer(client, card, **params)

    return make


def make_paying_customer(
    client: stripe.StripeClient, card: str = "pm_card_visa", **params: Any
) -> stripe.Customer:
    given: Any = {"name": "Acme", "email": "billing@acme.test", **params}
    customer = client.v1.customers.create(given)
    method = client.v1.payment_methods.attach(card, {"customer": customer.id})
    return client.v1.customers.update(
        customer.id, {"invoice_settings": {"default_payment_method": method.id}}
    )


def make_price(client: stripe.StripeClient, amount: int = 7500, **params: Any) -> stripe.Price:
    """A monthly price in US cents."""
    product = client.v1.products.create({"name": "Team growth"})
    given: Any = {
        "product": product.id,
        "currency": "usd",
        "unit_amount": amount,
        "recurring": {"interval": "month"},
        **params,
    }
    return client.v1.prices.create(given)


def setup_session(client: stripe.StripeClient, customer: str, **params: Any) -> stripe.checkout.Session:
    given: Any = {
        "mode": "setup",
        "currency": "usd",
        "customer": customer,
        "success_url": "https://portal.test/card/done?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://portal.test/card",
        **params,
    }
    return client.v1.checkout.sessions.create(given)
