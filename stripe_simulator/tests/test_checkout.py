"""The hosted card page, and what completing it does."""

import http.client
from contextlib import closing
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import stripe

from stripe_simulator.control import Control
from stripe_simulator.tests.conftest import make_price, setup_session
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


def test_an_open_session_is_expired_on_demand(
    client: Client, control: Control, session: stripe.checkout.Session
) -> None:
    expired = client.v1.checkout.sessions.expire(session.id)
    assert problems_of_resource(expired) == []
    assert (expired.status, expired.url) == ("expired", None)
    assert visit(session.url, GOOD)[0] == 410
    with pytest.raises(stripe.InvalidRequestError, match="status of `expired`"):
        client.v1.checkout.sessions.expire(session.id)


def test_a_complete_session_does_not_expire(
    client: Client, control: Control, session: stripe.checkout.Session
) -> None:
    control.enter_card(str(session.url))
    with pytest.raises(stripe.InvalidRequestError, match="status of `complete`"):
        client.v1.checkout.sessions.expire(session.id)


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


def offered(session: stripe.checkout.Session) -> set[str]:
    return set(session.payment_method_types or [])


def test_a_session_offers_what_takes_its_currency_or_what_it_is_told(
    client: Client, customer: stripe.Customer
) -> None:
    assert offered(setup_session(client, customer.id)) == {"card", "link", "us_bank_account"}
    euro = setup_session(client, customer.id, currency="eur")
    assert problems_of_resource(euro) == []
    assert offered(euro) == {"card", "link", "sepa_debit", "ideal", "bancontact"}
    cards = setup_session(client, customer.id, allowed_payment_method_types=["card"])
    assert offered(cards) == {"card"}
    assert "US bank account" not in visit(cards.url)[1]
    assert visit(cards.url, {"type": "link"})[0] == 422


def test_a_bank_account_is_saved(client: Client, control: Control, customer: stripe.Customer) -> None:
    session = setup_session(client, customer.id, currency="eur")
    assert control.enter_bank_account(str(session.url), type="sepa_debit", account="DE1") == ""
    assert control.enter_bank_account(
        str(session.url), type="sepa_debit", account="DE89 3704 0044 0532 0130 00"
    ).startswith("https://portal.test/card/done")
    (method,) = client.v1.customers.payment_methods.list(customer.id).data
    assert method.sepa_debit is not None
    assert (method.type, method.sepa_debit.last4, method.sepa_debit.country) == ("sepa_debit", "3000", "DE")


@pytest.mark.parametrize("kind", ["ideal", "bancontact"])
def test_a_method_that_pays_once_sets_up_a_reusable_one(
    kind: str, client: Client, control: Control, customer: stripe.Customer
) -> None:
    session = setup_session(client, customer.id, currency="eur")
    page = control.choose(str(session.url), kind)
    assert page == f"{session.url}/authenticate"
    assert control.authenticate(page).startswith("https://portal.test/card/done")
    intent = client.v1.setup_intents.retrieve(
        str(session.setup_intent), {"expand": ["latest_attempt", "payment_method"]}
    )
    assert problems_of_resource(intent) == []
    assert isinstance(intent.payment_method, stripe.PaymentMethod)
    assert (intent.payment_method.type, intent.payment_method.customer) == (kind, None)
    assert isinstance(intent.latest_attempt, stripe.SetupAttempt)
    (kept,) = client.v1.customers.payment_methods.list(customer.id).data
    assert kept.type == "sepa_debit"
    assert intent.latest_attempt.payment_method_details[kind].generated_sepa_debit == kept.id
    attempts = client.v1.setup_attempts.list({"setup_intent": intent.id})
    assert problems_of_resource(attempts) == []
    assert [attempt.status for attempt in attempts.data] == ["succeeded"]


def subscribing(client: Client, customer: stripe.Customer, **params: Any) -> stripe.checkout.Session:
    price = make_price(client, 5000)
    given: Any = {
        "mode": "subscription",
        "customer": customer.id,
        "line_items": [{"price": price.id, "quantity": 3}],
        "success_url": "https://portal.test/done?session={CHECKOUT_SESSION_ID}",
        **params,
    }
    made = client.v1.checkout.sessions.create(given)
    assert problems_of_resource(made) == []
    return made


def test_checkout_starts_a_subscription(client: Client, control: Control, customer: stripe.Customer) -> None:
    session = subscribing(client, customer, subscription_data={"metadata": {"operation": "7"}})
    assert (session.amount_total, session.payment_status, session.setup_intent) == (15000, "unpaid", None)
    assert client.v1.subscriptions.list({"customer": customer.id}).data == []
    assert "$150.00" in visit(session.url)[1]
    assert control.enter_card(str(session.url)).startswith("https://portal.test/done")
    done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription", "invoice"]})
    assert problems_of_resource(done) == []
    assert (done.status, done.payment_status) == ("complete", "paid")
    assert isinstance(done.subscription, stripe.Subscription)
    assert done.subscription.status == "active"
    assert done.subscription.metadata["operation"] == "7"
    (card,) = client.v1.customers.payment_methods.list(customer.id).data
    assert done.subscription.default_payment_method == card.id
    assert isinstance(done.invoice, stripe.Invoice)
    assert done.invoice.status == "paid"


def test_automatic_tax_is_in_the_total_and_goes_on(
    client: Client, control: Control, customer: stripe.Customer
) -> None:
    taxed: Any = {"automatic_tax": {"enabled": True}, "customer_update": {"address": "auto", "name": "auto"}}
    with pytest.raises(stripe.InvalidRequestError, match="asks for no address"):
        subscribing(client, customer, **taxed)
    client.v1.customers.update(customer.id, {"address": {"country": "DE", "postal_code": "10115"}})
    session = subscribing(client, customer, **taxed)
    assert session.total_details
    assert session.amount_total == (session.amount_subtotal or 0) + session.total_details.amount_tax > 15000
    control.enter_card(str(session.url))
    (made,) = client.v1.subscriptions.list({"customer": customer.id, "expand": ["data.latest_invoice"]}).data
    assert made.automatic_tax.enabled
    assert isinstance(made.latest_invoice, stripe.Invoice)
    assert made.latest_invoice.amount_paid == session.amount_total


@pytest.mark.parametrize("number", ["4000000000009995", "4000000000000341"])
def test_a_refused_card_starts_nothing(
    number: str, client: Client, control: Control, customer: stripe.Customer
) -> None:
    session = subscribing(client, customer)
    assert control.enter_card(str(session.url), number=number) == ""
    assert client.v1.subscriptions.list({"customer": customer.id, "status": "all"}).data == []
    assert client.v1.customers.payment_methods.list(customer.id).data == []
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"


def test_the_bank_is_asked_once(client: Client, control: Control, customer: stripe.Customer) -> None:
    session = subscribing(client, customer)
    page = control.enter_card(str(session.url), number="4000002760003184")
    assert control.authenticate(page).startswith("https://portal.test/done")
    (made,) = client.v1.subscriptions.list({"customer": customer.id}).data
    assert made.status == "active"


def test_a_debit_pays_a_session_later(client: Client, control: Control, customer: stripe.Customer) -> None:
    session = subscribing(client, customer)
    control.enter_bank_account(str(session.url), type="us_bank_account", account="000123456789")
    done = client.v1.checkout.sessions.retrieve(session.id)
    assert (done.status, done.payment_status) == ("complete", "unpaid")
    control.advance(days=5)
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    told = client.v1.events.list({"type": "checkout.session.async_payment_succeeded"})
    assert [event.data.object["id"] for event in told.data] == [session.id]


def test_each_mode_takes_its_own_parameters(client: Client, customer: stripe.Customer) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="line_items"):
        setup_session(client, customer.id, line_items=[{"price": "price_x"}])
    with pytest.raises(stripe.InvalidRequestError, match="setup_intent_data"):
        subscribing(client, customer, setup_intent_data={"description": "x"})
    with pytest.raises(stripe.InvalidRequestError, match="only specify one"):
        setup_session(client, customer.id, customer_email="ada@acme.test")
