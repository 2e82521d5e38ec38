"""What a customer's invoices say of them: custom fields, and tax ids with what the registers answer."""

from typing import Any

import pytest
import stripe

from stripe_simulator.control import Control
from stripe_simulator.tests.test_limits import refusal

Client = stripe.StripeClient


def status_of(client: Client, customer: str) -> str:
    (found,) = client.v1.customers.tax_ids.list(customer).data
    assert found.verification is not None
    return str(found.verification.status)


@pytest.mark.parametrize(
    ("kind", "value", "at_once", "later"),
    [
        ("eu_vat", "DE123456789", "pending", "verified"),
        ("eu_vat", "DE111111111", "pending", "unverified"),
        ("gb_vat", "GB222222222", "pending", "pending"),
        ("us_ein", "12-3456789", "unavailable", "unavailable"),
    ],
)
def test_a_register_answers_after_a_while(
    kind: Any, value: str, at_once: str, later: str, client: Client, control: Control
) -> None:
    customer = client.v1.customers.create({}).id
    client.v1.customers.tax_ids.create(customer, {"type": kind, "value": value})
    assert status_of(client, customer) == at_once
    control.advance(seconds=31)
    assert status_of(client, customer) == later
    updates = [event for event in client.v1.events.list().data if event.type == "customer.tax_id.updated"]
    assert len(updates) == (at_once != later)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ([{"name": "PO", "value": str(number)} for number in range(5)], "custom_fields]"),
        ([{"name": "P" * 41, "value": "1"}], "custom_fields][0][name]"),
        ([{"name": "PO", "value": "1" * 141}], "custom_fields][0][value]"),
    ],
)
def test_custom_fields_that_are_too_many_or_too_long_are_refused(
    fields: Any, param: str, client: Client
) -> None:
    customer = client.v1.customers.create({}).id
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.customers.update(customer, {"invoice_settings": {"custom_fields": fields}})
    assert refusal(refused) == (400, None, f"invoice_settings[{param}")


def test_a_customers_custom_fields_come_to_be_on_their_invoices(client: Client) -> None:
    fields: Any = [{"name": "PO number", "value": "4711"}]
    customer = client.v1.customers.create({"invoice_settings": {"custom_fields": fields}}).id
    invoice = client.v1.invoices.create({"customer": customer, "currency": "usd"})
    assert [(one.name, one.value) for one in invoice.custom_fields or []] == [("PO number", "4711")]
