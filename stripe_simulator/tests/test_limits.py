"""Values that Stripe refuses, of parameters that it knows."""

from typing import Any

import pytest
import stripe

from stripe_simulator.tests.conftest import make_paying_customer, make_price

Client = stripe.StripeClient


def refusal(
    error: pytest.ExceptionInfo[stripe.InvalidRequestError],
) -> tuple[int | None, str | None, str | None]:
    return error.value.http_status, error.value.code, error.value.param


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"metadata": {f"key{i}": "x" for i in range(51)}}, None, "metadata"),
        ({"metadata": {"k" * 41: "x"}}, None, "metadata"),
        ({"metadata": {"key": "x" * 501}}, None, "metadata[key]"),
        ({"email": "nobody"}, "email_invalid", "email"),
        ({"address": {"country": "Germany"}}, "country_code_invalid", "address[country]"),
        ({"description": "x" * 5001}, None, "description"),
        ({"phone": "1" * 21}, None, "phone"),
    ],
)
def test_customer_with_such_a_value_is_refused(
    params: Any, code: str | None, param: str, either: Client
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        either.v1.customers.create(params)
    assert refusal(refused) == (400, code, param)


def test_metadata_grows_no_further_than_its_limit(either: Client) -> None:
    customer = either.v1.customers.create({"metadata": {f"key{i}": "x" for i in range(50)}})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        either.v1.customers.update(customer.id, {"metadata": {"one_more": "x"}})
    assert refused.value.param == "metadata"
    changed = either.v1.customers.update(customer.id, {"metadata": {"key0": "", "one_more": "x"}})
    assert changed.metadata is not None
    assert len(changed.metadata.to_dict()) == 50


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"items": [{"quantity": -1}]}, "parameter_invalid_integer", "items[0][quantity]"),
        ({"currency": "xyz"}, None, "currency"),
        ({"trial_period_days": 0}, "parameter_invalid_integer", "trial_period_days"),
        ({"trial_period_days": 731}, None, "trial_period_days"),
        ({"cancel_at": 1}, None, "cancel_at"),
        ({"trial_end": 1}, None, "trial_end"),
        ({"days_until_due": 5}, None, "days_until_due"),
        (
            {"collection_method": "send_invoice", "days_until_due": -5},
            "parameter_invalid_integer",
            "days_until_due",
        ),
        ({"default_tax_rates": ["txr_missing"]}, "resource_missing", "default_tax_rates[0]"),
        ({"payment_behavior": "pending_if_incomplete"}, None, "payment_behavior"),
    ],
)
def test_subscription_with_such_a_value_is_refused(
    params: Any, code: str | None, param: str, client: Client
) -> None:
    item = {"price": make_price(client).id} | params.pop("items", [{}])[0]
    given: Any = {"customer": make_paying_customer(client).id, "items": [item], **params}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.subscriptions.create(given)
    assert refusal(refused) == (400, code, param)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("eu_vat", "nonsense"), ("eu_vat", "DE12345678"), ("gb_vat", "GB12"), ("us_ein", "1-2345678")],
)
def test_tax_id_that_looks_like_none_is_refused(kind: Any, value: str, either: Client) -> None:
    customer = either.v1.customers.create({})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        either.v1.customers.tax_ids.create(customer.id, {"type": kind, "value": value})
    assert refusal(refused) == (400, "tax_id_invalid", "value")
    with pytest.raises(stripe.InvalidRequestError):
        either.v1.customers.create({"tax_id_data": [{"type": kind, "value": value}]})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("eu_vat", "DE123456789"),
        ("eu_vat", "IE1234567FA"),
        ("gb_vat", "GB123456789"),
        ("us_ein", "12-3456789"),
    ],
)
def test_tax_id_that_looks_right_is_taken(kind: Any, value: str, client: Client) -> None:
    customer = client.v1.customers.create({})
    made = client.v1.customers.tax_ids.create(customer.id, {"type": kind, "value": value})
    assert (made.value, made.country) == (value, value[:2] if kind != "us_ein" else "US")


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"percent_off": 0, "duration": "once"}, "percent_off"),
        ({"percent_off": 101, "duration": "once"}, "percent_off"),
        ({"percent_off": 5, "amount_off": 5, "currency": "usd"}, "percent_off"),
        ({"amount_off": 5}, "currency"),
        ({"percent_off": 5, "duration": "repeating"}, "duration_in_months"),
        ({"percent_off": 5, "max_redemptions": 0}, "max_redemptions"),
    ],
)
def test_coupon_that_makes_no_sense_is_refused(params: Any, param: str, client: Client) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.coupons.create(params)
    assert refused.value.param == param
