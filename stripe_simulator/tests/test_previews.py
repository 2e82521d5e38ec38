"""Previews answer what the real invoice will be, whatever would be changed before it."""

from typing import Any

import pytest
import stripe

from stripe_simulator.control import Control
from stripe_simulator.tests.conftest import make_paying_customer, make_price
from stripe_simulator.tests.resource_types import problems_of_resource

Client = stripe.StripeClient
MONTH, YEAR = {"interval": "month"}, {"interval": "year"}


@pytest.fixture
def customer(client: Client) -> stripe.Customer:
    return make_paying_customer(client)


def subscribe(client: Client, customer: stripe.Customer, *prices: stripe.Price, **params: Any) -> Any:
    given: Any = {
        "customer": customer.id,
        "items": [{"price": price.id} for price in prices],
        **params,
    }
    return client.v1.subscriptions.create(given)


def preview_of(client: Client, subscription: str, **details: Any) -> stripe.Invoice:
    given: Any = {"subscription": subscription}
    if details:
        given["subscription_details"] = details
    preview = client.v1.invoices.create_preview(given)
    assert problems_of_resource(preview) == []
    return preview


def amounts(invoice: stripe.Invoice) -> list[int]:
    return [line.amount for line in invoice.lines.data]


def renewed(client: Client, subscription: str) -> stripe.Invoice:
    latest = client.v1.subscriptions.retrieve(subscription).latest_invoice
    return client.v1.invoices.retrieve(str(latest))


def halfway(control: Control, subscription: Any) -> int:
    item = subscription["items"].data[0]
    middle = int((item.current_period_start + item.current_period_end) // 2)
    control.set_clock(middle)
    return middle


def test_preview_tells_discount_tax_and_balance(client: Client, control: Control, customer: Any) -> None:
    vat = client.v1.tax_rates.create({"display_name": "VAT", "percentage": 20, "inclusive": False})
    coupon = client.v1.coupons.create({"percent_off": 10, "duration": "forever"})
    made = subscribe(
        client,
        customer,
        make_price(client, 10000),
        discounts=[{"coupon": coupon.id}],
        default_tax_rates=[vat.id],
    )
    credit = client.v1.invoices.create({"customer": customer.id, "auto_advance": False})
    client.v1.invoice_items.create(
        {"customer": customer.id, "invoice": credit.id, "amount": -3000, "currency": "usd"}
    )
    client.v1.invoices.finalize_invoice(credit.id)
    preview = preview_of(client, made.id)
    assert (preview.subtotal, preview.total_excluding_tax, preview.total) == (10000, 9000, 10800)
    assert (preview.starting_balance, preview.amount_due, preview.ending_balance) == (-3000, 7800, 0)
    assert (preview.billing_reason, preview.status, preview.number) == ("upcoming", "draft", None)
    control.set_clock(made["items"].data[0].current_period_end)
    assert renewed(client, made.id).amount_due == 7800


def test_discounts_of_the_request_stand_for_the_subscriptions(client: Client, customer: Any) -> None:
    forever = client.v1.coupons.create({"percent_off": 10, "duration": "forever"})
    other = client.v1.coupons.create({"percent_off": 40, "duration": "once"})
    made = subscribe(client, customer, make_price(client, 10000), discounts=[{"coupon": forever.id}])
    choices: list[Any] = [[{"coupon": other.id}], ""]
    totals = [
        client.v1.invoices.create_preview({"subscription": made.id, "discounts": given}).total
        for given in choices
    ]
    assert totals == [6000, 10000]
    assert client.v1.coupons.retrieve(other.id).times_redeemed == 0
    assert client.v1.coupons.retrieve(forever.id).times_redeemed == 1


def test_proration_date_sets_from_when_the_change_counts(
    client: Client, control: Control, customer: Any
) -> None:
    made = subscribe(client, customer, make_price(client, 10000))
    (item,) = made["items"].data
    middle = halfway(control, made)
    quarter = item.current_period_start + (item.current_period_end - item.current_period_start) // 4
    change: Any = {"items": [{"id": item.id, "quantity": 2}], "proration_date": quarter}
    preview = preview_of(client, made.id, **change)
    assert amounts(preview) == [20000, -7500, 15000]
    assert preview.lines.data[1].period.start == quarter
    assert amounts(preview_of(client, made.id, **(change | {"proration_date": middle})))[1:] == [-5000, 10000]
    client.v1.subscriptions.update(made.id, change)
    control.set_clock(item.current_period_end)
    assert amounts(renewed(client, made.id)) == amounts(preview)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        preview_of(client, made.id, **change)
    assert refused.value.param == "proration_date"


def test_change_that_is_invoiced_at_once_previews_prorations_only(
    client: Client, control: Control, customer: Any
) -> None:
    made = subscribe(client, customer, make_price(client, 10000))
    (item,) = made["items"].data
    middle = halfway(control, made)
    change: Any = {"items": [{"id": item.id, "quantity": 2}], "proration_behavior": "always_invoice"}
    preview = preview_of(client, made.id, **change)
    assert (amounts(preview), preview.created) == ([-5000, 10000], middle)
    client.v1.subscriptions.update(made.id, change)
    paid = renewed(client, made.id)
    assert (amounts(paid), paid.status, paid.amount_paid) == ([-5000, 10000], "paid", 5000)
    (source, _) = [line.parent.subscription_item_details for line in paid.lines.data if line.parent]
    assert source is not None
    assert source.proration_details is not None
    assert source.proration_details.credited_items is not None


def test_prorations_wait_for_an_invoice_of_their_own_subscription(
    client: Client, control: Control, customer: Any
) -> None:
    made = subscribe(client, customer, make_price(client, 10000))
    other = subscribe(client, customer, make_price(client, 300))
    halfway(control, made)
    client.v1.subscriptions.update(made.id, {"items": [{"id": made["items"].data[0].id, "quantity": 2}]})
    assert amounts(preview_of(client, other.id)) == [300]
    assert amounts(preview_of(client, made.id)) == [20000, -5000, 10000]


def test_cancel_now_previews_what_is_given_back(client: Client, control: Control, customer: Any) -> None:
    made = subscribe(client, customer, make_price(client, 10000))
    halfway(control, made)
    preview = preview_of(client, made.id, cancel_now=True)
    assert (amounts(preview), preview.total, preview.amount_due) == ([-5000], -5000, 0)
    assert preview.ending_balance == -5000
    with pytest.raises(stripe.InvalidRequestError) as nothing:
        preview_of(client, made.id, cancel_now=True, proration_behavior="none")
    assert nothing.value.code == "invoice_upcoming_none"
    client.v1.subscriptions.cancel(made.id, {"prorate": True, "invoice_now": True})
    assert renewed(client, made.id).total == -5000


def test_subscription_that_ends_bills_only_what_waits(
    client: Client, control: Control, customer: Any
) -> None:
    made = subscribe(client, customer, make_price(client, 10000))
    with pytest.raises(stripe.InvalidRequestError) as nothing:
        preview_of(client, made.id, cancel_at_period_end=True)
    assert (nothing.value.http_status, nothing.value.code) == (404, "invoice_upcoming_none")
    client.v1.invoice_items.create({"customer": customer.id, "amount": 700, "currency": "usd"})
    assert amounts(preview_of(client, made.id, cancel_at_period_end=True)) == [700]
    client.v1.subscriptions.update(made.id, {"cancel_at_period_end": True})
    assert amounts(preview_of(client, made.id)) == [700]
    assert amounts(preview_of(client, made.id, cancel_at_period_end=False)) == [10000, 700]
    control.set_clock(made["items"].data[0].current_period_end)
    assert amounts(renewed(client, made.id)) == [700]


def test_end_amid_a_period_credits_now_and_amid_a_later_one_shortens_that(
    client: Client, control: Control, customer: Any
) -> None:
    made = subscribe(client, customer, make_price(client, 10000))
    (item,) = made["items"].data
    length = item.current_period_end - item.current_period_start
    middle = item.current_period_start + length // 2
    assert amounts(preview_of(client, made.id, cancel_at=middle)) == [-5000]
    assert amounts(preview_of(client, made.id, cancel_at=item.current_period_end + 86400)) in (
        [333],
        [323],
        [357],
        [345],
    )
    client.v1.subscriptions.update(made.id, {"cancel_at": middle})
    waiting = client.v1.invoice_items.list({"customer": customer.id, "pending": True}).data
    assert [one.amount for one in waiting] == [-5000]
    client.v1.subscriptions.update(made.id, {"cancel_at": ""})
    assert amounts(preview_of(client, made.id)) == [10000, -5000, 5000]


def test_only_what_falls_due_is_billed_of_mixed_intervals(
    client: Client, control: Control, customer: Any
) -> None:
    month, year = make_price(client, 5000), make_price(client, 120000, recurring=YEAR)
    made = subscribe(client, customer, month, year)
    assert renewed(client, made.id).total == 125000
    assert amounts(preview_of(client, made.id)) == [5000]
    control.set_clock(made["items"].data[0].current_period_end)
    assert amounts(renewed(client, made.id)) == [5000]


def test_item_that_changes_its_interval_is_charged_for_the_rest_of_the_new_period(
    client: Client, control: Control, customer: Any
) -> None:
    made = subscribe(client, customer, make_price(client, 5000))
    (item,) = made["items"].data
    year = make_price(client, 60000, recurring=YEAR)
    preview = preview_of(client, made.id, items=[{"id": item.id, "price": year.id}])
    credit, charge = preview.lines.data[-2:]
    assert (credit.amount, charge.amount) == (-5000, 60000)
    assert charge.period.end - charge.period.start > 364 * 86400


def test_trial_that_would_end_now_is_billed_at_once(client: Client, control: Control, customer: Any) -> None:
    made = subscribe(client, customer, make_price(client, 10000), trial_period_days=14)
    now = control.now()
    assert preview_of(client, made.id).created == made.trial_end
    preview = preview_of(client, made.id, trial_end="now")
    assert preview.total == 10000
    assert now <= preview.lines.data[0].period.start <= now + 5
    ended = client.v1.subscriptions.update(made.id, {"trial_end": "now"})
    assert ended.status == "active"
    assert renewed(client, made.id).status == "paid"


def test_a_change_in_a_trial_costs_nothing_and_keeps_its_end(
    client: Client, control: Control, customer: Any
) -> None:
    """https://docs.stripe.com/billing/subscriptions/trials"""
    made = subscribe(client, customer, make_price(client, 10000), trial_period_days=14)
    year = make_price(client, 60000, recurring=YEAR)
    items: Any = [{"id": made["items"].data[0].id, "price": year.id, "quantity": 2}]
    recurring = client.v1.invoices.create_preview(
        {"subscription": made.id, "subscription_details": {"items": items}, "preview_mode": "recurring"}
    )
    following = preview_of(client, made.id, items=items, proration_behavior="none")
    assert (recurring.total, following.total) == (120000, 120000)
    assert following.created == made.trial_end
    changed = client.v1.subscriptions.update(made.id, {"items": items, "proration_behavior": "none"})
    assert (changed.status, changed.trial_end) == ("trialing", made.trial_end)
    assert renewed(client, made.id).total == 0
    control.advance(days=14, hours=2)
    assert (renewed(client, made.id).total, renewed(client, made.id).status) == (120000, "paid")


def test_new_subscription_with_discount_and_items_of_the_request(client: Client, customer: Any) -> None:
    coupon = client.v1.coupons.create({"percent_off": 50, "duration": "once"})
    preview = client.v1.invoices.create_preview(
        {
            "customer": customer.id,
            "discounts": [{"coupon": coupon.id}],
            "invoice_items": [{"amount": 1000, "description": "Set-up"}],
            "subscription_details": {"items": [{"price": make_price(client, 8000).id, "quantity": 2}]},
        }
    )
    assert problems_of_resource(preview) == []
    assert (amounts(preview), preview.total) == ([16000, 1000], 8500)
    assert client.v1.invoice_items.list({"customer": customer.id}).data == []


def test_what_a_preview_does_not_know_is_refused(client: Client, customer: Any) -> None:
    made = subscribe(client, customer, make_price(client))
    details: Any = {"items": [{"id": made["items"].data[0].id, "clear_usage": True}]}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        preview_of(client, made.id, **details)
    assert (refused.value.code, refused.value.param) == (
        "parameter_not_simulated",
        "subscription_details[items][0][clear_usage]",
    )
