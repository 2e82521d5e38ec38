"""What prices of each model cost, and what their lines say."""

from typing import Any

import pytest
import stripe

from stripe_simulator.control import Control
from stripe_simulator.tests.conftest import make_paying_customer, make_price
from stripe_simulator.tests.resource_types import problems_of_resource

Client = stripe.StripeClient
TIERS = [
    {"up_to": 5, "unit_amount": 700, "flat_amount": 1000},
    {"up_to": 10, "unit_amount": 650},
    {"up_to": "inf", "unit_amount": 600},
]


def priced(client: Client, **params: Any) -> stripe.Price:
    """A price without the plain amount that `make_price` gives."""
    product = client.v1.products.create({"name": "Seats"})
    given: Any = {"product": product.id, "currency": "usd", "recurring": {"interval": "month"}, **params}
    price = client.v1.prices.create(given)
    assert problems_of_resource(price) == []
    return price


def first_lines(
    client: Client, price: stripe.Price, quantity: int
) -> list[tuple[int | None, int, str | None]]:
    given: Any = {
        "customer": make_paying_customer(client).id,
        "items": [{"price": price.id, "quantity": quantity}],
        "expand": ["latest_invoice"],
    }
    made = client.v1.subscriptions.create(given)
    assert problems_of_resource(made) == []
    assert isinstance(made.latest_invoice, stripe.Invoice)
    return [(line.quantity, line.amount, line.description) for line in made.latest_invoice.lines.data]


def test_graduated_tiers_each_have_a_line(client: Client) -> None:
    price = priced(client, billing_scheme="tiered", tiers_mode="graduated", tiers=TIERS)
    assert (price.unit_amount, price.tiers_mode, "tiers" in price) == (None, "graduated", False)
    assert first_lines(client, price, 12) == [
        (5, 3500, "5 × Seats (Tier 1 at $7.00 / month)"),
        (1, 1000, "1 × Seats (Tier 1, flat fee of $10.00 / month)"),
        (5, 3250, "5 × Seats (Tier 2 at $6.50 / month)"),
        (2, 1200, "2 × Seats (Tier 3 at $6.00 / month)"),
    ]
    shown = client.v1.prices.retrieve(price.id, {"expand": ["tiers"]})
    assert [tier.up_to for tier in shown.tiers or []] == [5, 10, None]


@pytest.mark.parametrize(("quantity", "amount"), [(5, 4500), (6, 3900), (11, 6600)])
def test_volume_is_priced_by_the_tier_it_falls_in(quantity: int, amount: int, client: Client) -> None:
    price = priced(client, billing_scheme="tiered", tiers_mode="volume", tiers=TIERS)
    assert sum(line[1] for line in first_lines(client, price, quantity)) == amount


@pytest.mark.parametrize(("rounding", "amount"), [("up", 30000), ("down", 24000)])
def test_packages_are_counted_up_or_down(rounding: str, amount: int, client: Client) -> None:
    price = priced(client, unit_amount=6000, transform_quantity={"divide_by": 50, "round": rounding})
    assert first_lines(client, price, 204) == [(204, amount, "204 × Seats (at $60.00 per 50 units / month)")]


@pytest.mark.parametrize(
    ("currency", "decimal", "quantity", "amount", "shown"),
    [
        ("jpy", "1500", 2, 3000, "¥1,500"),
        ("kwd", "1230", 3, 3690, "KWD1.230"),
        ("usd", "0.025", 450000, 11250, "$0.00025"),
    ],
)
def test_currencies_have_their_decimals(
    currency: str, decimal: str, quantity: int, amount: int, shown: str, client: Client
) -> None:
    price = priced(client, currency=currency, unit_amount_decimal=decimal)
    ((_, billed, words),) = first_lines(client, price, quantity)
    assert billed == amount
    assert words is not None
    assert f"(at {shown} / month)" in words.replace("\xa0", " ")


def test_three_decimals_are_charged_in_tens(client: Client) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        priced(client, currency="kwd", unit_amount=1234)
    assert refused.value.param == "unit_amount"
    coupon = client.v1.coupons.create({"percent_off": 33, "duration": "once"})
    customer = client.v1.customers.create({})
    draft = client.v1.invoices.create(
        {"customer": customer.id, "currency": "kwd", "discounts": [{"coupon": coupon.id}]}
    )
    client.v1.invoice_items.create(
        {"customer": customer.id, "invoice": draft.id, "amount": 1230, "currency": "kwd"}
    )
    assert client.v1.invoices.retrieve(draft.id).total == 1230 - 410


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"billing_scheme": "tiered", "tiers": TIERS}, "tiers_mode"),
        ({"billing_scheme": "tiered", "tiers_mode": "volume", "tiers": TIERS[:2]}, "tiers[1][up_to]"),
        ({"billing_scheme": "tiered", "tiers_mode": "volume", "tiers": TIERS[1::-1]}, "tiers[1][up_to]"),
        ({"unit_amount": 100, "tiers": TIERS}, "billing_scheme"),
        (
            {"unit_amount": 100, "transform_quantity": {"divide_by": 0, "round": "up"}},
            "transform_quantity[divide_by]",
        ),
        (
            {"unit_amount": 100, "recurring": {"interval": "month", "interval_count": 37}},
            "recurring[interval_count]",
        ),
        (
            {"unit_amount": 100, "recurring": {"interval": "month", "usage_type": "metered"}},
            "recurring[meter]",
        ),
    ],
)
def test_price_that_makes_no_sense_is_refused(params: dict[str, Any], param: str, client: Client) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        priced(client, **params)
    assert refused.value.param == param


def test_usage_is_billed_after_its_period(client: Client, control: Control) -> None:
    meter = client.v1.billing.meters.create(
        {"display_name": "Calls", "event_name": "call", "default_aggregation": {"formula": "sum"}}
    )
    assert problems_of_resource(meter) == []
    price = priced(
        client,
        unit_amount=20,
        recurring={"interval": "month", "usage_type": "metered", "meter": meter.id},
    )
    customer = make_paying_customer(client)
    made = client.v1.subscriptions.create(
        {
            "customer": customer.id,
            "items": [{"price": price.id}, {"price": make_price(client, 5000).id, "quantity": 2}],
        }
    )
    assert problems_of_resource(made) == []
    assert [line.amount for line in client.v1.invoices.retrieve(str(made.latest_invoice)).lines.data] == [
        10000
    ]

    def count(value: int) -> None:
        event = client.v1.billing.meter_events.create(
            {"event_name": "call", "payload": {"stripe_customer_id": customer.id, "value": str(value)}}
        )
        assert problems_of_resource(event) == []

    count(30)
    control.advance(days=3)
    count(12)
    preview = client.v1.invoices.create_preview({"subscription": made.id})
    assert [(line.quantity, line.amount) for line in preview.lines.data] == [(2, 10000), (42, 840)]
    usage = preview.lines.data[1]
    assert usage.period.end == preview.lines.data[0].period.start
    control.set_clock(made["items"].data[0].current_period_end)
    count(5)
    renewed = client.v1.subscriptions.retrieve(made.id, {"expand": ["latest_invoice"]}).latest_invoice
    assert isinstance(renewed, stripe.Invoice)
    assert renewed.total == preview.total
    ended = client.v1.subscriptions.cancel(made.id, {"invoice_now": True, "expand": ["latest_invoice"]})
    assert isinstance(ended.latest_invoice, stripe.Invoice)
    assert ended.latest_invoice.total == 100
