"""The first invoice of a planned change is what its person accepted, whatever else stands on it."""

from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from billing.models import Invoice
from tests.billing.plans import Customer, operation

pytestmark = pytest.mark.django_db
FEWER = "seats/?seats=2"


def coupon(customer: Customer, **terms: Any) -> str:
    return str(customer.api.coupons.create({"percent_off": 25, "duration": "forever", **terms}).id)


def with_discount(customer: Customer) -> None:
    customer.buy("team-pro", 4, discounts=[{"coupon": coupon(customer)}])


def with_credit(customer: Customer) -> None:
    customer.buy("team-pro", 4)
    customer.api.customers.balance_transactions.create(
        customer.account.stripe_customer_id, {"amount": -700, "currency": "usd"}
    )


def with_use_to_invoice(customer: Customer) -> None:
    made = customer.buy("team-pro", 4)
    customer.api.invoice_items.create(
        {
            "customer": customer.account.stripe_customer_id,
            "subscription": made.id,
            "amount": 1234,
            "currency": "usd",
        }
    )


def with_proration(customer: Customer) -> None:
    """Changed at Stripe, whose prorations wait for the next invoice."""
    made = customer.buy("team-pro", 4)
    customer.half_of_the_period()
    customer.api.subscriptions.update(made.id, {"items": [{"id": made["items"].data[0].id, "quantity": 5}]})
    customer.hear()


def without(customer: Customer) -> None:
    customer.buy("team-pro", 4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("begin", "total"),
    [
        (without, 12000),
        (with_discount, 9000),
        (with_credit, 12000),
        (with_use_to_invoice, 12000 + 1234 + 247),
        (with_proration, 12000 + 3000),
    ],
)
def test_the_first_period_costs_what_was_accepted(
    begin: Callable[[Customer], None], total: int, customer: Customer
) -> None:
    begin(customer)
    customer.press(FEWER)
    customer.end_of_the_period()
    customer.stripe.control.advance(hours=2)
    customer.hear()
    latest = customer.invoices()[0]
    assert (latest.total, latest.status) == (total, "paid")
    assert operation().result["invoice"] == latest.id
    assert "difference" not in operation().result


@pytest.mark.slow
def test_an_invoice_that_is_not_what_was_accepted_is_kept_and_told(customer: Customer) -> None:
    customer.buy("team-pro", 4)
    customer.press(FEWER)
    customer.stripe.control.discount_customer(customer.account.stripe_customer_id, coupon(customer))
    with capture_logs() as logs:
        customer.end_of_the_period()
        customer.stripe.control.advance(hours=2)
        customer.hear()
    (line,) = [line for line in logs if line["event"] == "preview_differs_from_invoice"]
    assert (line["log_level"], line["accepted"]["total"], line["invoiced"]["total"]) == ("error", 12000, 9000)
    assert operation().result["difference"]["total"] == 9000


@pytest.mark.slow
def test_a_change_that_was_undone_is_compared_with_nothing(customer: Customer) -> None:
    customer.buy("team-pro", 4)
    customer.press(FEWER)
    planned = operation()
    customer.browser.post(customer.url("plan/undo/"), {"schedule": customer.subscription().schedule})
    customer.end_of_the_period()
    customer.stripe.control.advance(hours=2)
    customer.hear()
    planned.refresh_from_db()
    assert Invoice.objects.latest("created_at").total == 24000
    assert planned.result == {"outcome": "planned"}
