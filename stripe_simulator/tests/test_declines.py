"""Cards that are refused, and cards whose bank asks the person."""

import pytest
import stripe

from stripe_simulator.control import Control, ControlError
from stripe_simulator.tests.conftest import Receiver, make_paying_customer, make_price, setup_session
from stripe_simulator.tests.resource_types import problems_of_resource
from stripe_simulator.tests.test_bank_debits import newest
from stripe_simulator.tests.test_checkout import GOOD, visit
from stripe_simulator.tests.test_credit_notes import opened

Client = stripe.StripeClient


def subscribe(client: Client, customer: stripe.Customer) -> stripe.Subscription:
    price = make_price(client, 5000)
    return client.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})


@pytest.mark.parametrize(
    ("number", "code", "decline_code", "message"),
    [
        ("4000000000000002", "card_declined", "generic_decline", "Your card was declined."),
        ("4000000000009995", "card_declined", "insufficient_funds", "Your card has insufficient funds."),
        ("4000000000009987", "card_declined", "lost_card", "Your card was declined."),
        ("4000000000000069", "expired_card", None, "Your card has expired."),
    ],
)
def test_a_refused_card_tells_why_on_the_invoice_and_at_checkout(
    number: str, code: str, decline_code: str | None, message: str, client: Client, control: Control
) -> None:
    customer = client.v1.customers.create({"name": "Acme"})
    invoice = opened(client, customer, 5000)
    status, page, _ = visit(invoice.hosted_invoice_url, GOOD | {"number": number})
    assert (status, message in page) == (402, True)
    after, intent = newest(client, customer)
    error = intent.last_payment_error
    assert error is not None
    assert (error.code, error.to_dict().get("decline_code"), error.message) == (code, decline_code, message)
    assert (after.status, after.attempt_count) == ("open", 1)
    session = setup_session(client, customer.id)
    assert control.enter_card(str(session.url), number=number) == ""
    setup = client.v1.setup_intents.retrieve(str(session.setup_intent))
    assert problems_of_resource(setup) == []
    assert setup.last_setup_error is not None
    assert setup.last_setup_error.code == code


def test_a_card_that_worked_can_be_refused_later_and_work_again(client: Client, control: Control) -> None:
    customer = make_paying_customer(client)
    made = subscribe(client, customer)
    (card,) = client.v1.customers.payment_methods.list(customer.id).data
    control.refuse_charges(card.id, "insufficient_funds")
    control.advance(days=31, hours=2)
    _, intent = newest(client, customer)
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.decline_code == "insufficient_funds"
    assert client.v1.subscriptions.retrieve(made.id).status == "past_due"
    control.allow_charges(card.id)
    control.advance(days=3)
    assert newest(client, customer)[0].status == "paid"
    with pytest.raises(ControlError, match="a reason is one of"):
        control.refuse_charges(card.id, "too_blue")


def test_a_card_that_always_asks_leaves_a_renewal_waiting_for_the_person(
    client: Client, control: Control, receiver: Receiver
) -> None:
    customer = client.v1.customers.create({"name": "Acme"})
    page = control.enter_card(str(setup_session(client, customer.id).url), number="4000002760003184")
    control.authenticate(page)
    (card,) = client.v1.customers.payment_methods.list(customer.id).data
    client.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": card.id}})
    made = subscribe(client, customer)
    assert made.status == "incomplete"
    invoice, intent = newest(client, customer)
    assert (invoice.status, invoice.attempt_count, intent.status) == ("open", 1, "requires_action")
    assert control.wait_for_webhooks()
    told = [kind for kind in receiver.types if kind.startswith(("invoice.p", "payment_intent.r"))]
    assert told == [
        "payment_intent.requires_action",
        "invoice.payment_action_required",
        "invoice.payment_failed",
    ]
    assert "Answer your bank" in visit(invoice.hosted_invoice_url)[1]
    control.authenticate(f"{invoice.hosted_invoice_url}/authenticate")
    assert newest(client, customer)[0].status == "paid"
    assert client.v1.subscriptions.retrieve(made.id).status == "active"
    assert problems_of_resource(client.v1.events.list({"limit": 100})) == []


def test_a_failed_answer_to_the_bank_is_a_failed_payment(client: Client, control: Control) -> None:
    customer = client.v1.customers.create({"name": "Acme"})
    invoice = opened(client, customer, 5000)
    page = control.enter_card(str(invoice.hosted_invoice_url), number="4000002500003155")
    assert page == f"{invoice.hosted_invoice_url}/authenticate"
    control.authenticate(page, succeed=False)
    after, intent = newest(client, customer)
    assert (after.status, intent.status) == ("open", "requires_payment_method")
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.code == "payment_intent_authentication_failure"
    assert "failed authentication" in visit(invoice.hosted_invoice_url)[1]


def test_a_card_set_up_at_checkout_asks_no_more(client: Client, control: Control) -> None:
    customer = client.v1.customers.create({"name": "Acme"})
    control.authenticate(
        control.enter_card(str(setup_session(client, customer.id).url), number="4000002500003155")
    )
    (card,) = client.v1.customers.payment_methods.list(customer.id).data
    invoice = opened(client, customer, 5000)
    assert client.v1.invoices.pay(invoice.id, {"payment_method": card.id}).status == "paid"


def test_a_card_that_was_never_set_up_asks(client: Client) -> None:
    customer = make_paying_customer(client, "pm_card_authenticationRequiredOnSetup")
    invoice = opened(client, customer, 5000)
    with pytest.raises(stripe.CardError) as refused:
        client.v1.invoices.pay(invoice.id)
    assert refused.value.code == "invoice_payment_intent_requires_action"
    assert newest(client, customer)[1].status == "requires_action"


def test_a_payment_by_hand_counts_as_the_first_attempt_and_moves_no_retry(
    client: Client, control: Control
) -> None:
    customer = make_paying_customer(client)
    subscribe(client, customer)
    (card,) = client.v1.customers.payment_methods.list(customer.id).data
    control.refuse_charges(card.id, "insufficient_funds")
    control.advance(days=31, hours=2)
    failed = newest(client, customer)[0]
    assert failed.attempt_count == 1
    control.advance(days=1)
    with pytest.raises(stripe.CardError) as refused:
        client.v1.invoices.pay(failed.id, {"payment_method": card.id, "off_session": False})
    assert (refused.value.http_status, refused.value.code) == (402, "card_declined")
    after = newest(client, customer)[0]
    assert (after.attempt_count, after.next_payment_attempt) == (1, failed.next_payment_attempt)
    untried = opened(client, customer, 5000)
    with pytest.raises(stripe.CardError):
        client.v1.invoices.pay(untried.id, {"payment_method": card.id})
    assert client.v1.invoices.retrieve(untried.id).attempt_count == 1


def test_a_person_who_is_there_is_asked_by_their_bank_though_the_card_was_set_up(
    client: Client, control: Control
) -> None:
    customer = client.v1.customers.create({"name": "Acme"})
    control.authenticate(
        control.enter_card(str(setup_session(client, customer.id).url), number="4000002500003155")
    )
    (card,) = client.v1.customers.payment_methods.list(customer.id).data
    invoice = opened(client, customer, 5000)
    with pytest.raises(stripe.CardError) as refused:
        client.v1.invoices.pay(invoice.id, {"payment_method": card.id, "off_session": False})
    assert (refused.value.http_status, refused.value.code) == (402, "invoice_payment_intent_requires_action")
    control.authenticate(f"{invoice.hosted_invoice_url}/authenticate")
    assert client.v1.invoices.retrieve(invoice.id).status == "paid"
