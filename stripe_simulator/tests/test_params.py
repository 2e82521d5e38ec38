"""Parameters are refused as Stripe refuses them."""

from typing import Any

import pytest
import stripe
from stripe.params import CustomerCreateParams, InvoiceListParams, SubscriptionCreateParams
from stripe.params.checkout import SessionCreateParams

from stripe_simulator.errors import InvalidParameterError
from stripe_simulator.params import check_parameters, decode


def check(form: str, params: type) -> dict[str, Any]:
    return check_parameters(decode(form), params)


def refusal(form: str, params: type) -> dict[str, Any]:
    with pytest.raises(InvalidParameterError) as refused:
        check(form, params)
    return refused.value.error


def test_nested_keys_are_decoded_with_their_types() -> None:
    form = "items[0][price]=price_1&items[0][quantity]=3&metadata[a]=1&off_session=true&expand[]=customer"
    assert check(form, SubscriptionCreateParams) == {
        "items": [{"price": "price_1", "quantity": 3}],
        "metadata": {"a": "1"},
        "off_session": True,
        "expand": ["customer"],
    }


def test_range_or_moment_is_either_object_or_integer() -> None:
    assert check("created[gte]=5", InvoiceListParams) == {"created": {"gte": 5}}
    assert check("created=5", InvoiceListParams) == {"created": 5}


@pytest.mark.parametrize(
    ("form", "params", "code", "param", "message"),
    [
        ("a=1", CustomerCreateParams, "parameter_unknown", "a", "Received unknown parameter: a"),
        ("a=1&b=2", CustomerCreateParams, "parameter_unknown", "a", "Received unknown parameters: a, b"),
        (
            "address[street]=x",
            CustomerCreateParams,
            "parameter_unknown",
            "address[street]",
            "Received unknown parameter: address[street]",
        ),
        (
            "items[0][count]=1",
            SubscriptionCreateParams,
            "parameter_unknown",
            "items[0][count]",
            "Received unknown parameter: items[0][count]",
        ),
        (
            "items[0][quantity]=few",
            SubscriptionCreateParams,
            "parameter_invalid_integer",
            "items[0][quantity]",
            "Invalid integer: few",
        ),
        ("off_session=yes", SubscriptionCreateParams, None, "off_session", "Invalid boolean: yes"),
        ("items=x", SubscriptionCreateParams, None, "items", "Invalid array"),
        ("items[a][price]=x", SubscriptionCreateParams, None, "items", "Invalid array"),
        ("address=x", CustomerCreateParams, None, "address", "Invalid object"),
        ("name[a]=x", CustomerCreateParams, None, "name", "Invalid string"),
        (
            "mode=gift",
            SessionCreateParams,
            None,
            "mode",
            "Invalid mode: must be one of payment, setup, or subscription",
        ),
    ],
)
def test_wrong_parameter_is_refused_by_name(
    form: str, params: type, code: str | None, param: str, message: str
) -> None:
    error = refusal(form, params)
    assert (error.get("code"), error["param"], error["message"]) == (code, param, message)


def test_missing_parameter_is_named(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.products.create({})  # type: ignore[typeddict-item] # the point
    assert (refused.value.code, refused.value.param) == ("parameter_missing", "name")


def test_what_is_not_simulated_is_refused_and_not_ignored(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.customers.create({"source": "tok_visa"})
    assert (refused.value.code, refused.value.param) == ("parameter_not_simulated", "source")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payouts.list()
    assert refused.value.http_status == 404


def test_empty_filter_is_refused_rather_than_listing_everything(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.invoices.list({"customer": ""})
    assert (refused.value.code, refused.value.param) == ("parameter_invalid_empty", "customer")


def test_another_api_version_is_refused(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Invalid Stripe API version: 2020-08-27"):
        client.v1.customers.list(options={"stripe_version": "2020-08-27"})


def test_error_has_the_request_and_its_page(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.customers.retrieve("cus_missing")
    body: Any = refused.value.json_body
    error = body["error"]
    assert error["type"] == "invalid_request_error"
    assert error["message"] == "No such customer: 'cus_missing'"
    assert error["doc_url"] == "https://docs.stripe.com/error-codes/resource-missing"
    assert str(refused.value.request_id).startswith("req_")
    assert str(refused.value.request_id) in error["request_log_url"]
