"""What comes next is what Stripe would charge, whatever the customer's subscriptions are."""

from collections.abc import Callable

import pytest

from billing.sums import INCLUDED, Part
from tests.billing.told import Told

pytestmark = pytest.mark.django_db


def prorated(told: Told) -> None:
    """2 seats of $50, then 10 after a third of a month's 30 days: 8 more for what is left of it."""
    subscription = told.subscribe(told.price(5000), quantity=2)
    told.stripe.control.advance(days=10)
    told.change_item(subscription, quantity=10)


def credited(told: Told) -> None:
    told.subscribe(told.price(5000), quantity=4)
    told.balance(-15_000)


def indebted(told: Told) -> None:
    told.subscribe(told.price(5000))
    told.balance(1200)


def credited_in_another_currency(told: Told) -> None:
    told.subscribe(told.price(5000, currency="eur"))
    told.balance(-15_000, "usd")


def discounted(told: Told) -> None:
    told.subscribe(told.price(2500), discounts=[{"coupon": told.coupon(percent_off=10)}])


def discounted_twice(told: Told) -> None:
    """An item's own discount goes first."""
    item = {"price": told.price(10_000), "discounts": [{"coupon": told.coupon(percent_off=20)}]}
    whole = told.coupon(amount_off=500, currency="usd")
    told.subscribe(items=[item], discounts=[{"coupon": whole}])


def discounted_once(told: Told) -> None:
    told.subscribe(told.price(2500), discounts=[{"coupon": told.coupon(percent_off=10, duration="once")}])


def discounted_as_a_customer(told: Told) -> None:
    told.stripe.control.discount_customer(told.customer, told.coupon(percent_off=50))
    told.subscribe(told.price(2500))


def several(told: Told) -> None:
    told.subscribe(told.price(5000))
    told.subscribe(told.price(20_000))


def several_that_share_a_credit(told: Told) -> None:
    several(told)
    told.balance(-15_000)


def several_that_share_a_debt(told: Told) -> None:
    several(told)
    told.balance(1000)


def several_with_a_waiting_item(told: Told) -> None:
    """Whichever is invoiced first bills it, with its tax."""
    rates = [told.tax_rate("VAT", 20, inclusive=False)]
    told.subscribe(told.price(5000))
    told.subscribe(told.price(20_000), default_tax_rates=rates)
    item = {"customer": told.customer, "amount": 7500, "currency": "usd", "tax_rates": rates}
    told.api.invoice_items.create({**item, "description": "On-demand credits"})
    told.balance(-1000)


def several_on_other_days(told: Told) -> None:
    told.subscribe(told.price(5000))
    told.stripe.control.advance(days=3)
    told.subscribe(told.price(20_000))


def monthly_and_yearly(told: Told) -> None:
    told.subscribe(told.price(5000), told.price(120_000, "year"))


def tiered(told: Told) -> None:
    tiers = [{"up_to": 5, "unit_amount": 1000}, {"up_to": "inf", "unit_amount": 500}]
    told.subscribe(told.price(None, billing_scheme="tiered", tiers_mode="graduated", tiers=tiers), quantity=7)


def packages(told: Told) -> None:
    told.subscribe(told.price(1000, transform_quantity={"divide_by": 10, "round": "up"}), quantity=25)


def taxed(told: Told) -> None:
    rates = [told.tax_rate("VAT", 19, inclusive=True), told.tax_rate("City", 2.5, inclusive=False)]
    told.subscribe(told.price(11_900), default_tax_rates=rates)


def exempt(told: Told) -> None:
    told.api.customers.update(told.customer, {"tax_exempt": "exempt"})
    told.subscribe(told.price(10_000), default_tax_rates=[told.tax_rate("VAT", 19, inclusive=False)])


def in_yen(told: Told) -> None:
    told.subscribe(told.price(5000, currency="jpy"), quantity=3)


CHARGES: list[tuple[Callable[[Told], None], list[tuple[int, str]]]] = [
    (prorated, [(76_666, "usd")]),
    (credited, [(5000, "usd")]),
    (indebted, [(6200, "usd")]),
    (credited_in_another_currency, [(5000, "eur")]),
    (discounted, [(2250, "usd")]),
    (discounted_twice, [(7500, "usd")]),
    (discounted_once, [(2500, "usd")]),
    (discounted_as_a_customer, [(1250, "usd")]),
    (several, [(25_000, "usd")]),
    (several_that_share_a_credit, [(10_000, "usd")]),
    (several_that_share_a_debt, [(26_000, "usd")]),
    (several_with_a_waiting_item, [(37_000, "usd")]),
    (several_on_other_days, [(5000, "usd")]),
    (monthly_and_yearly, [(5000, "usd")]),
    (tiered, [(6000, "usd")]),
    (packages, [(3000, "usd")]),
    (taxed, [(12_150, "usd")]),
    (exempt, [(10_000, "usd")]),
    (in_yen, [(15_000, "jpy")]),
]


@pytest.mark.parametrize(("make", "charges"), CHARGES, ids=[make.__name__ for make, _charges in CHARGES])
def test_the_next_charge_is_what_stripe_would_charge(
    make: Callable[[Told], None], charges: list[tuple[int, str]], told: Told
) -> None:
    told.save()
    make(told)
    assert told.hear().charges() == charges


@pytest.mark.parametrize(
    "make",
    [
        several_that_share_a_credit,
        several_that_share_a_debt,
        several_with_a_waiting_item,
        prorated,
        taxed,
    ],
)
def test_what_was_told_is_then_charged(make: Callable[[Told], None], told: Told) -> None:
    told.save()
    make(told)
    (charge,) = told.hear().charges()
    paid_before = told.paid_in_all()
    told.stripe.control.advance(days=31)
    assert told.paid_in_all() - paid_before == charge[0]


def test_what_comes_next_adds_up_for_each_subscription(told: Told) -> None:
    told.save()
    several_with_a_waiting_item(told)
    upcoming = told.hear().upcoming()
    assert len(upcoming) == 2
    for one in upcoming:
        added = [row.amount for row in one.rows if not row.is_result and row.part not in INCLUDED]
        assert one.rows[0].amount + sum(added) == one.amount
        assert Part.ADJUSTMENT not in {row.part for row in one.rows}


def test_a_balance_is_shown_to_be_spent_once(told: Told) -> None:
    told.save()
    several_that_share_a_credit(told)
    rows = [row for one in told.hear().upcoming() for row in one.rows]
    assert sum(row.amount for row in rows if row.part is Part.APPLIED_BALANCE) == -15_000
