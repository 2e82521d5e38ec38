"""Coupons, promotion codes and what discounts take off invoices."""

from typing import Any

import pytest
import stripe

from stripe_simulator.control import Control
from stripe_simulator.tests.conftest import make_paying_customer, make_price
from stripe_simulator.tests.resource_types import problems_of_resource

Client = stripe.StripeClient


def coupon(client: Client, **params: Any) -> str:
    given: Any = {"duration": "forever", "name": "Loyalty", **params}
    return client.v1.coupons.create(given).id


def subscribe(client: Client, customer: stripe.Customer, amount: int = 10000, **params: Any) -> Any:
    item = {"price": make_price(client, amount).id, **params.pop("item", {})}
    given: Any = {"customer": customer.id, "items": [item], **params}
    return client.v1.subscriptions.create(given)


def invoices(client: Client, customer: stripe.Customer) -> list[stripe.Invoice]:
    """The newest first."""
    listed = client.v1.invoices.list({"customer": customer.id, "expand": ["data.discounts"]})
    assert problems_of_resource(listed) == []
    return listed.data


def cuts(line_or_total: list[Any] | None) -> list[int]:
    return [entry.amount for entry in line_or_total or []]


def test_percentage_forever_is_taken_off_each_invoice(client: Client, control: Control) -> None:
    customer = make_paying_customer(client)
    made = subscribe(client, customer, 2500, discounts=[{"coupon": coupon(client, percent_off=10)}])
    assert problems_of_resource(made) == []
    control.advance(days=32)
    for invoice in invoices(client, customer):
        assert (invoice.subtotal, invoice.total, invoice.amount_paid) == (2500, 2250, 2250)
        assert cuts(invoice.total_discount_amounts) == cuts(invoice.lines.data[0].discount_amounts) == [250]
        (discount,) = invoice.discounts
        assert isinstance(discount, stripe.Discount)
        assert discount.subscription == made.id


@pytest.mark.parametrize(
    ("duration", "totals"),
    [
        ({"duration": "once"}, [10000, 10000, 7000]),
        ({"duration": "repeating", "duration_in_months": 2}, [10000, 7000, 7000]),
        ({"duration": "forever"}, [7000, 7000, 7000]),
    ],
)
def test_discount_lasts_as_long_as_its_coupon_says(
    duration: dict[str, Any], totals: list[int], client: Client, control: Control
) -> None:
    customer = make_paying_customer(client)
    given = coupon(client, amount_off=3000, currency="usd", **duration)
    made = subscribe(client, customer, discounts=[{"coupon": given}])
    control.advance(days=65)
    assert [invoice.total for invoice in invoices(client, customer)] == totals
    ended = client.v1.subscriptions.retrieve(made.id)
    assert bool(ended.discounts) == (totals[0] == 7000)


def test_discounts_follow_each_other_and_an_items_own_is_left_out_of_the_subtotal(client: Client) -> None:
    customer = make_paying_customer(client)
    half = {"coupon": coupon(client, amount_off=5000, currency="usd")}
    tenth = {"coupon": coupon(client, percent_off=10)}
    subscribe(client, customer, item={"discounts": [half]}, discounts=[tenth])
    (invoice,) = invoices(client, customer)
    assert (invoice.subtotal, invoice.total) == (5000, 4500)
    assert cuts(invoice.total_discount_amounts) == [5000, 500]
    (line,) = invoice.lines.data
    assert (line.amount, line.subtotal, len(line.discounts)) == (10000, 10000, 1)


def test_invoice_discount_is_shared_out_without_losing_a_cent(client: Client) -> None:
    customer = client.v1.customers.create({})
    given = coupon(client, percent_off=10)
    draft = client.v1.invoices.create(
        {"customer": customer.id, "currency": "usd", "discounts": [{"coupon": given}]}
    )
    for amount in (5, 5, 5, -4):
        client.v1.invoice_items.create(
            {"customer": customer.id, "invoice": draft.id, "amount": amount, "currency": "usd"}
        )
    invoice = client.v1.invoices.retrieve(draft.id)
    assert (invoice.subtotal, invoice.total) == (11, 9)
    assert sum(sum(cuts(line.discount_amounts)) for line in invoice.lines.data) == 2
    assert cuts(invoice.lines.data[3].discount_amounts) == []


def test_invoice_item_has_discounts_of_its_own(client: Client) -> None:
    customer = client.v1.customers.create({})
    for index, discounts in enumerate(([{"coupon": coupon(client, percent_off=25)}], "")):
        given: Any = {
            "customer": customer.id,
            "amount": 400 + index,
            "currency": "usd",
            "discounts": discounts,
        }
        item = client.v1.invoice_items.create(given)
        assert problems_of_resource(item) == []
    draft = client.v1.invoices.create({"customer": customer.id, "pending_invoice_items_behavior": "include"})
    assert (draft.subtotal, draft.total) == (701, 701)


def test_no_discount_takes_off_more_than_there_is(client: Client) -> None:
    customer = make_paying_customer(client)
    subscribe(client, customer, 2000, discounts=[{"coupon": coupon(client, amount_off=5000, currency="usd")}])
    (invoice,) = invoices(client, customer)
    assert (invoice.total, invoice.status, cuts(invoice.total_discount_amounts)) == (0, "paid", [2000])


def test_promotion_code_makes_a_discount_that_names_it(client: Client) -> None:
    customer = make_paying_customer(client)
    code = client.v1.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": coupon(client, percent_off=50)}, "code": "SPRING"}
    )
    assert problems_of_resource(code) == []
    subscribe(client, customer, discounts=[{"promotion_code": code.id}])
    (invoice,) = invoices(client, customer)
    (discount,) = invoice.discounts
    assert isinstance(discount, stripe.Discount)
    assert (discount.promotion_code, invoice.total) == (code.id, 5000)
    assert client.v1.promotion_codes.list({"code": "SPRING"}).data[0].times_redeemed == 1


def test_coupon_that_is_used_up_or_of_another_currency_is_refused(client: Client) -> None:
    customer = make_paying_customer(client)
    single = coupon(client, percent_off=50, max_redemptions=1)
    subscribe(client, customer, discounts=[{"coupon": single}])
    assert not client.v1.coupons.retrieve(single).valid
    euros = coupon(client, amount_off=500, currency="eur")
    for given in (single, euros, "missing"):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            subscribe(client, customer, discounts=[{"coupon": given}])
        assert refused.value.param == "discounts[0][coupon]"


def test_deleted_coupon_ends_no_discount(client: Client, control: Control) -> None:
    customer = make_paying_customer(client)
    given = coupon(client, percent_off=50)
    made = subscribe(client, customer, discounts=[{"coupon": given}])
    assert client.v1.coupons.delete(given).deleted
    control.advance(days=32)
    assert [invoice.total for invoice in invoices(client, customer)] == [5000, 5000]
    shown = client.v1.subscriptions.retrieve(made.id, {"expand": ["discounts.source.coupon"]})
    assert problems_of_resource(shown) == []


def test_removed_discount_takes_off_nothing_more(client: Client, control: Control) -> None:
    customer = make_paying_customer(client)
    made = subscribe(client, customer, discounts=[{"coupon": coupon(client, percent_off=50)}])
    client.v1.subscriptions.update(made.id, {"discounts": ""})
    control.advance(days=32)
    assert [invoice.total for invoice in invoices(client, customer)] == [10000, 5000]


def test_prorations_are_net_of_discounts_and_are_not_discounted_again(
    client: Client, control: Control
) -> None:
    customer = make_paying_customer(client)
    made = subscribe(client, customer, discounts=[{"coupon": coupon(client, percent_off=50)}])
    (item,) = made["items"].data
    control.set_clock((item.current_period_start + item.current_period_end) // 2)
    client.v1.subscriptions.update(made.id, {"items": [{"id": item.id, "quantity": 3}]})
    waiting = client.v1.invoice_items.list({"customer": customer.id, "pending": True})
    assert problems_of_resource(waiting) == []
    assert sorted(one.amount for one in waiting.data) == [-2500, 7500]
    control.set_clock(item.current_period_end)
    renewal = invoices(client, customer)[0]
    assert renewal.total == 15000 + 5000
    assert cuts(renewal.total_discount_amounts) == [15000]


def test_customers_discount_is_taken_where_there_is_no_other(client: Client, control: Control) -> None:
    customer = make_paying_customer(client)
    control.discount_customer(customer.id, coupon(client, percent_off=25))
    subscribe(client, customer, discounts=[{"coupon": coupon(client, percent_off=50)}])
    subscribe(client, customer)
    assert [invoice.total for invoice in invoices(client, customer)] == [7500, 5000]
    shown = client.v1.customers.retrieve(customer.id)
    assert problems_of_resource(shown) == []
    assert shown.discount is not None
    client.v1.customers.delete_discount(customer.id)
    assert client.v1.customers.retrieve(customer.id).discount is None
    assert subscribe(client, customer, expand=["latest_invoice"]).latest_invoice.total == 10000


def test_coupon_and_code_end_when_their_time_is_over(client: Client, control: Control) -> None:
    customer, soon = make_paying_customer(client), control.now() + 3600
    short = coupon(client, percent_off=50, redeem_by=soon)
    code = client.v1.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": coupon(client, percent_off=5)}, "expires_at": soon}
    )
    control.advance(hours=2)
    assert not client.v1.coupons.retrieve(short).valid
    assert not client.v1.promotion_codes.retrieve(code.id).active
    choices: list[Any] = [{"coupon": short}, {"promotion_code": code.id}]
    for choice in choices:
        with pytest.raises(stripe.InvalidRequestError):
            subscribe(client, customer, discounts=[choice])
