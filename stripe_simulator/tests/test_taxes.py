"""Taxes by rates and by country: lines, totals and what is exempt."""

from typing import Any

import pytest
import stripe

from stripe_simulator.control import Control
from stripe_simulator.tests.conftest import make_paying_customer, make_price
from stripe_simulator.tests.resource_types import problems_of_resource

Client = stripe.StripeClient


def rate(client: Client, percentage: float, *, inclusive: bool = False, **params: Any) -> str:
    given: Any = {"display_name": "VAT", "percentage": percentage, "inclusive": inclusive, **params}
    made = client.v1.tax_rates.create(given)
    assert problems_of_resource(made) == []
    return made.id


def draft(client: Client, *items: dict[str, Any], customer: Any = None, **params: Any) -> Any:
    """A draft in US dollars of the items, each a dict of its amount and more."""
    whose: Any = customer or {}
    made = client.v1.customers.create(whose)
    given: Any = {"customer": made.id, "currency": "usd", **params}
    invoice = client.v1.invoices.create(given)
    for item in items:
        common: Any = {"customer": made.id, "invoice": invoice.id, "currency": "usd", **item}
        client.v1.invoice_items.create(common)
    found = client.v1.invoices.retrieve(invoice.id)
    assert problems_of_resource(found) == []
    return found


def totals(invoice: Any) -> tuple[int, int, int, int]:
    return invoice.subtotal, invoice.subtotal_excluding_tax, invoice.total_excluding_tax, invoice.total


def test_exclusive_tax_is_rounded_line_by_line(client: Client) -> None:
    invoice = draft(client, {"amount": 295}, {"amount": 750}, default_tax_rates=[rate(client, 21)])
    assert [line.taxes[0].amount for line in invoice.lines.data] == [62, 158]
    assert totals(invoice) == (1045, 1045, 1045, 1265)
    (tax,) = invoice.total_taxes
    assert (tax.amount, tax.taxable_amount, tax.tax_behavior) == (220, 1045, "exclusive")


def test_inclusive_tax_is_within_the_amount(client: Client) -> None:
    invoice = draft(client, {"amount": 99}, default_tax_rates=[rate(client, 21, inclusive=True)])
    (tax,) = invoice.total_taxes
    assert (tax.amount, tax.taxable_amount, tax.tax_behavior) == (17, 82, "inclusive")
    assert totals(invoice) == (99, 82, 82, 99)


def test_several_rates_on_one_line_each_have_their_tax(client: Client) -> None:
    rates = [rate(client, 5), rate(client, 9.975)]
    invoice = draft(client, {"amount": 10000, "tax_rates": rates}, {"amount": 1})
    assert [tax.amount for tax in invoice.total_taxes] == [500, 998]
    assert [len(line.taxes) for line in invoice.lines.data] == [2, 0]
    assert invoice.total == 10001 + 1498


def test_own_rates_stand_for_the_invoices(client: Client) -> None:
    reduced = rate(client, 7)
    invoice = draft(
        client,
        {"amount": 1000, "tax_rates": [reduced]},
        {"amount": 1000},
        default_tax_rates=[rate(client, 19)],
    )
    assert [line.taxes[0].amount for line in invoice.lines.data] == [70, 190]
    changed = client.v1.invoices.update(invoice.id, {"default_tax_rates": ""})
    assert [tax.amount for tax in changed.total_taxes or []] == [70]


@pytest.mark.parametrize(
    ("inclusive", "expected"),
    [(False, (11900, 11900, 9520, 11329)), (True, (11900, 10000, 8000, 9520))],
)
def test_tax_is_on_what_discounts_leave(inclusive: bool, expected: tuple[int, ...], client: Client) -> None:
    coupon = client.v1.coupons.create({"percent_off": 20, "duration": "once"})
    invoice = draft(
        client,
        {"amount": 11900},
        discounts=[{"coupon": coupon.id}],
        default_tax_rates=[rate(client, 19, inclusive=inclusive)],
    )
    assert totals(invoice) == expected


def test_subscription_hands_its_rates_to_its_invoices(client: Client) -> None:
    customer, price = make_paying_customer(client), make_price(client, 10000)
    made = client.v1.subscriptions.create(
        {
            "customer": customer.id,
            "items": [
                {"price": price.id, "tax_rates": [rate(client, 7)]},
                {"price": make_price(client, 100).id},
            ],
            "default_tax_rates": [rate(client, 19)],
            "expand": ["latest_invoice"],
        }
    )
    assert problems_of_resource(made) == []
    invoice = made.latest_invoice
    assert isinstance(invoice, stripe.Invoice)
    assert (invoice.total, invoice.amount_paid) == (10100 + 700 + 19, 10819)
    assert [tax_rate.percentage for tax_rate in invoice.default_tax_rates] == [19]


@pytest.mark.parametrize(("exempt", "reason"), [("exempt", "customer_exempt"), ("reverse", "reverse_charge")])
def test_exempt_customer_pays_no_tax_and_the_invoice_says_why(
    exempt: str, reason: str, client: Client
) -> None:
    invoice = draft(
        client,
        {"amount": 10000},
        customer={"tax_exempt": exempt},
        default_tax_rates=[rate(client, 19)],
    )
    (tax,) = invoice.total_taxes
    assert (tax.amount, tax.taxable_amount, tax.taxability_reason, invoice.total) == (0, 0, reason, 10000)


def test_automatic_tax_goes_by_the_customers_country(client: Client) -> None:
    taxed = {"automatic_tax": {"enabled": True}}
    german = draft(client, {"amount": 10000}, customer={"address": {"country": "DE"}}, **taxed)
    (tax,) = german.total_taxes
    assert (german.total, german.automatic_tax.status, tax.taxability_reason) == (
        11900,
        "complete",
        "standard_rated",
    )
    vat = client.v1.tax_rates.retrieve(tax.tax_rate_details.tax_rate)
    assert (vat.display_name, vat.percentage, vat.country) == ("VAT", 19, "DE")
    nowhere = draft(client, {"amount": 10000}, **taxed)
    assert (nowhere.total, nowhere.automatic_tax.status) == (10000, "requires_location_inputs")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.invoices.finalize_invoice(nowhere.id)
    assert refused.value.code == "customer_tax_location_invalid"
    client.v1.customers.update(nowhere.customer, {"address": {"country": "FR"}})
    assert client.v1.invoices.finalize_invoice(nowhere.id).total == 12000
    business: Any = {
        "address": {"country": "DE"},
        "tax_id_data": [{"type": "eu_vat", "value": "DE123456789"}],
    }
    reversed_ = draft(client, {"amount": 10000}, customer=business, **taxed)
    assert [tax.taxability_reason for tax in reversed_.total_taxes] == ["reverse_charge"]


def test_subscription_with_automatic_tax_needs_a_place(client: Client) -> None:
    customer, price = make_paying_customer(client), make_price(client)
    given: Any = {
        "customer": customer.id,
        "items": [{"price": price.id}],
        "automatic_tax": {"enabled": True},
    }
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.subscriptions.create(given)
    assert refused.value.code == "customer_tax_location_invalid"
    client.v1.customers.update(customer.id, {"address": {"country": "NL"}})
    made = client.v1.subscriptions.create(given)
    assert client.v1.invoices.retrieve(str(made.latest_invoice)).total == 7500 + 1575


def test_invoice_that_finalizes_by_itself_does_without_tax_of_nowhere(
    client: Client, control: Control
) -> None:
    invoice = draft(client, {"amount": 10000}, auto_advance=True, automatic_tax={"enabled": True})
    control.advance(hours=1)
    final = client.v1.invoices.retrieve(invoice.id)
    assert problems_of_resource(final) == []
    assert (final.status, final.total) == ("open", 10000)
    assert final.automatic_tax.disabled_reason == "finalization_requires_location_inputs"


def test_final_invoice_keeps_its_figures(client: Client) -> None:
    invoice = draft(client, {"amount": 10000}, default_tax_rates=[rate(client, 19)])
    client.v1.invoices.pay(invoice.id, {"paid_out_of_band": True})
    client.v1.customers.update(str(invoice.customer), {"tax_exempt": "exempt"})
    kept = client.v1.invoices.update(invoice.id, {"metadata": {"a": "1"}})
    assert (kept.total, kept.amount_remaining, kept.customer_tax_exempt) == (11900, 0, "none")
