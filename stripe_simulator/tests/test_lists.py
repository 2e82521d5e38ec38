"""Lists and expansion, beyond what the contract tests hold against Stripe too."""

import pytest
import stripe

from stripe_simulator.control import Control
from stripe_simulator.tests.conftest import make_paying_customer, make_price
from stripe_simulator.tests.resource_types import problems_of_resource

Client = stripe.StripeClient


def test_limit_is_between_1_and_100(client: Client) -> None:
    for limit in (0, 101):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.customers.list({"limit": limit})
        assert refused.value.param == "limit"


def test_cursor_that_does_not_exist_is_refused(client: Client) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.customers.list({"starting_after": "cus_missing"})
    assert (refused.value.code, refused.value.param) == ("resource_missing", "starting_after")


def test_lists_filter_by_time_and_address(client: Client, control: Control) -> None:
    early = client.v1.customers.create({"email": "a@acme.test"})
    control.advance(days=1)
    late = client.v1.customers.create({"email": "b@acme.test"})
    since = client.v1.customers.list({"created": {"gt": early.created}})
    assert [customer.id for customer in since.data] == [late.id]
    assert [customer.id for customer in client.v1.customers.list({"email": "a@acme.test"}).data] == [early.id]


def test_deleted_customer_is_in_no_list(client: Client) -> None:
    customer = client.v1.customers.create({"name": "Acme"})
    client.v1.customers.delete(customer.id)
    assert client.v1.customers.list().data == []


def test_expansion_reaches_through_lists_and_objects(client: Client) -> None:
    customer, price = make_paying_customer(client), make_price(client)
    client.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})
    listed = client.v1.invoices.list(
        {"expand": ["data.customer.invoice_settings.default_payment_method", "data.payments"]}
    )
    assert problems_of_resource(listed) == []
    (invoice,) = listed.data
    assert isinstance(invoice.customer, stripe.Customer)
    assert invoice.customer.invoice_settings is not None
    assert isinstance(invoice.customer.invoice_settings.default_payment_method, stripe.PaymentMethod)


def test_what_is_only_answered_when_asked_for_is_absent_otherwise(client: Client) -> None:
    customer = client.v1.customers.create({"name": "Acme"})
    assert "subscriptions" not in client.v1.customers.retrieve(customer.id)
    expanded = client.v1.customers.retrieve(customer.id, {"expand": ["subscriptions"]})
    assert expanded.subscriptions is not None
    assert expanded.subscriptions.data == []


@pytest.mark.parametrize("path", ["name.a", "livemode", "nothing", "a.b.c.d.e"])
def test_what_cannot_be_expanded_is_refused(client: Client, path: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.customers.create({"name": "Acme", "expand": [path]})
    assert refused.value.param == "expand"
    assert client.v1.customers.list().data == []
