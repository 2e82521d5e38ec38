"""Charges of on-demand credits for tests, and what became of them at Stripe."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from billing.models import BillingAccount, Invoice, StripeOperation
from billing.on_demand import let_charges_be_invoiced
from billing.tasks import sweep
from credits.models import OnDemandCharge
from orgs.models import Organization
from tests.billing.world import StripeWorld, due_now

MAY, JUNE, JULY = (datetime(2026, month, 1, tzinfo=UTC) for month in (5, 6, 7))


def charge_of(organization: Organization, **fields: Any) -> OnDemandCharge:
    """May of 2026: 300,000 credits for 75 dollars, unless ``fields`` say otherwise."""
    usual = {"since": MAY, "until": JUNE, "credits": 300_000, "price": Decimal("0.00025"), "amount": 75_00}
    return OnDemandCharge.objects.create(organization=organization, **{**usual, **fields})


def ask(organization: Organization) -> None:
    """As the sweep of ledgers does."""
    with transaction.atomic():
        let_charges_be_invoiced(Organization.objects.locked(organization.pk))


def ask_and_sweep(organization: Organization) -> None:
    ask(organization)
    due_now()
    sweep()


def items(stripe: StripeWorld, account: BillingAccount) -> list[Any]:
    found = stripe.api.invoice_items.list({"customer": account.stripe_customer_id, "limit": 100})
    return [one for one in found.data if "credits_since" in one.metadata]


def invoices(stripe: StripeWorld, account: BillingAccount) -> list[Any]:
    return list(stripe.api.invoices.list({"customer": account.stripe_customer_id, "limit": 100}).data)


def lines(stripe: StripeWorld, account: BillingAccount) -> list[tuple[str, int]]:
    """On all invoices: the invoice, and the amount, of each line that tells of credits."""
    every = [(invoice.id, line) for invoice in invoices(stripe, account) for line in invoice.lines.data]
    return [(invoice, line.amount) for invoice, line in every if "credits_since" in line.metadata]


def operations(organization: Organization) -> list[tuple[str, str]]:
    found = StripeOperation.objects.for_org(organization).filter(kind="invoice_on_demand")
    return list(found.order_by("created_at").values_list("state", "step"))


def subscribe(stripe: StripeWorld, account: BillingAccount, *, interval: str = "month", **fields: Any) -> Any:
    product = stripe.api.products.create({"name": "Team Growth"})
    price = stripe.api.prices.create(
        {
            "currency": fields.pop("currency", "usd"),
            "unit_amount": 2000,
            "recurring": {"interval": interval},
            "product": product.id,
        }
    )
    given = {"customer": account.stripe_customer_id, "items": [{"price": price.id}]}
    return stripe.api.subscriptions.create({**given, **fields})


def charged_lines(organization: Organization) -> list[str]:
    """Of the mirrored invoices: the span of each line that tells of credits."""
    every = [line for row in Invoice.objects.for_org(organization) for line in row.document["lines"]]
    return [line["credits_since"] for line in every if line["credits_since"]]
