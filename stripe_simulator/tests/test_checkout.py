"""The hosted card page, and what completing it does."""

import http.client
from contextlib import closing
from urllib.parse import urlencode, urlsplit

import pytest
import stripe

from stripe_simulator.control import Control
from stripe_simulator.tests.conftest import setup_session
from stripe_simulator.tests.resource_types import problems_of_resource

Client = stripe.StripeClient
GOOD = {"number": "4242 4242 4242 4242", "expiry": "12 / 40", "cvc": "123", "name": "Ada <b>"}
THREE_D_SECURE = "4000002500003155"


@pytest.fixture
def customer(client: Client) -> stripe.Customer:
    return client.v1.customers.create({"name": "Acme & Sons", "email": "billing@acme.test"})


@pytest.fixture
def session(client: Client, customer: stripe.Customer) -> stripe.checkout.Session:
    return setup_session(client, customer.id)


def visit(url: str | None, fields: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Returns status, page and where it leads."""
    address = urlsplit(str(url))
    with closing(http.client.HTTPConnection(address.netloc)) as connection:
        connection.request(
            "GET" if fields is None else "POST",
            address.path,
            urlencode(fields or {}),
            {"Content-Type": "application/x-www-form-urlencoded"},
        )
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers.get("Location", "")


def test_page_says_what_it_is_and_whose_card(session: stripe.checkout.Session) -> None:
    status, page, _ = visit(session.url)
    assert status == 200
    assert "a tool for development. No real card is charged." in page
    assert "Acme &amp; Sons" in page
    assert 'href="https://portal.test/card"' in page
    assert "<script" not in page
    assert "style=" not in page


def test_good_card_completes_the_session_and_goes_back(
    client: Client, customer: stripe.Customer, session: stripe.checkout.Session
) -> None:
    status, _, location = visit(session.url, GOOD)
    assert (status, location) == (303, f"https://portal.test/card/done?session={session.id}")
    done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent.payment_method"]})
    assert problems_of_resource(done) == []
    assert (done.status, done.url) == ("complete", None)
    assert isinstance(done.setup_intent, stripe.SetupIntent)
    assert done.setup_intent.status == "succeeded"
    method = done.setup_intent.payment_method
    assert isinstance(method, stripe.PaymentMethod)
    assert method.card is not None
    assert (method.customer, method.card.last4, method.card.exp_month, method.card.exp_year) == (
        customer.id,
        "4242",
        12,
        2040,
    )
    assert (method.billing_details.name, method.billing_details.email) == ("Ada <b>", "billing@acme.test")


def test_completing_leaves_the_default_card_as_it_was(
    client: Client, control: Control, customer: stripe.Customer, session: stripe.checkout.Session
) -> None:
    control.enter_card(str(session.url))
    settings = client.v1.customers.retrieve(customer.id).invoice_settings
    assert settings is not None
    assert settings.default_payment_method is None


def test_session_completes_once(
    client: Client, customer: stripe.Customer, session: stripe.checkout.Session
) -> None:
    visit(session.url, GOOD)
    status, page, location = visit(session.url, GOOD)
    assert (status, location) == (200, "")
    assert "complete" in page
    assert len(client.v1.customers.payment_methods.list(customer.id).data) == 1


def test_reading_the_page_changes_nothing(client: Client, session: stripe.checkout.Session) -> None:
    for _ in range(2):
        visit(session.url)
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"number": "4242424242424241"}, "Your card number is invalid."),
        ({"expiry": "01 / 20"}, "expiration date is in the past."),
        ({"cvc": ""}, "security code is invalid."),
    ],
)
def test_mistyped_card_is_explained_and_typed_text_kept(
    client: Client, session: stripe.checkout.Session, wrong: dict[str, str], message: str
) -> None:
    status, page, _ = visit(session.url, GOOD | wrong)
    assert status == 422
    assert message in page
    assert "Ada &lt;b&gt;" in page
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"


def test_declined_card_can_be_followed_by_a_good_one(
    client: Client, customer: stripe.Customer, session: stripe.checkout.Session
) -> None:
    status, page, _ = visit(session.url, GOOD | {"number": "4000000000000002"})
    assert status == 402
    assert "Your card was declined." in page
    assert isinstance(session.setup_intent, str)
    intent = client.v1.setup_intents.retrieve(session.setup_intent)
    assert problems_of_resource(intent) == []
    assert intent.status == "requires_payment_method"
    assert intent.last_setup_error is not None
    assert intent.last_setup_error.decline_code == "generic_decline"
    assert client.v1.customers.payment_methods.list(customer.id).data == []
    assert visit(session.url, GOOD)[0] == 303
    assert client.v1.setup_intents.retrieve(session.setup_intent).last_setup_error is None


def test_authentication_completes(
    client: Client, control: Control, customer: stripe.Customer, session: stripe.checkout.Session
) -> None:
    page = control.enter_card(str(session.url), number=THREE_D_SECURE)
    assert page == f"{session.url}/authenticate"
    assert isinstance(session.setup_intent, str)
    waiting = client.v1.setup_intents.retrieve(session.setup_intent)
    assert problems_of_resource(waiting) == []
    assert waiting.status == "requires_action"
    assert client.v1.customers.payment_methods.list(customer.id).data == []
    assert "Complete" in visit(page)[1]
    assert control.authenticate(page).startswith("https://portal.test/card/done")
    assert len(client.v1.customers.payment_methods.list(customer.id).data) == 1


def test_failed_authentication_leads_back_to_the_form(
    client: Client, control: Control, session: stripe.checkout.Session
) -> None:
    page = control.enter_card(str(session.url), number=THREE_D_SECURE)
    assert control.authenticate(page, succeed=False) == session.url
    assert "We are unable to authenticate your payment method." in visit(session.url)[1]
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert control.authenticate(page) == session.url


def test_session_expires_after_a_day(
    client: Client, control: Control, session: stripe.checkout.Session
) -> None:
    control.advance(days=1, seconds=1)
    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"
    status, page, _ = visit(session.url, GOOD)
    assert status == 410
    assert "expired" in page


def test_parallel_sessions_each_save_their_card(
    client: Client, control: Control, customer: stripe.Customer
) -> None:
    first, second = setup_session(client, customer.id), setup_session(client, customer.id)
    control.enter_card(str(second.url), number="5555555555554444")
    control.enter_card(str(first.url))
    cards = [
        method.card.last4
        for method in client.v1.customers.payment_methods.list(customer.id).data
        if method.card
    ]
    assert cards == ["4242", "4444"]


def test_unknown_page_is_404(control: Control) -> None:
    assert visit(f"{control.url}/c/pay/cs_test_missing")[0] == 404
    assert visit(f"{control.url}/nothing")[0] == 404


def test_index_lists_customers_and_events(control: Control, customer: stripe.Customer) -> None:
    status, page, _ = visit(f"{control.url}/")
    assert status == 200
    assert customer.id in page
    assert "customer.created" in page
