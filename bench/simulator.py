"""The Stripe simulator as a process of its own, so that its work is not counted as the portal's."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

import stripe
from django.conf import settings

from devstack.paths import ROOT

SIMULATOR = "stripe_simulator"


@dataclass(frozen=True)
class StripeCustomer:
    """A customer at the simulator, a running subscription and an open invoice of theirs."""

    id: str
    subscription_id: str
    invoice_id: str


@contextmanager
def own_stripe() -> Iterator[StripeCustomer]:
    """Run a simulator with one customer, and lead the gateway to it."""
    with TemporaryDirectory() as folder:
        key = settings.STRIPE_SECRET_KEY
        command = [sys.executable, "-m", SIMULATOR, "--data", folder, "--api-key", key]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        given = settings.STRIPE_API_BASE
        try:
            # It says where it listens: "… ready on http://127.0.0.1:4242".
            url = process.stdout.readline().split()[-1] if process.stdout else ""
            settings.STRIPE_API_BASE = url
            yield _customer(stripe.StripeClient(key, base_addresses={"api": url}).v1)
        finally:
            settings.STRIPE_API_BASE = given
            process.terminate()
            process.communicate()


def _customer(api: Any) -> StripeCustomer:
    customer = api.customers.create({"name": "Measured Inc."})
    product = api.products.create({"name": "Enterprise Growth"})
    price = api.prices.create(
        {
            "currency": "usd",
            "unit_amount_decimal": "0.05",
            "recurring": {"interval": "year"},
            "product": product.id,
            "lookup_key": "enterprise-growth-yearly",
        }
    )
    subscription = api.subscriptions.create(
        {
            "customer": customer.id,
            "items": [{"price": price.id, "quantity": 1_000_000}],
            "collection_method": "send_invoice",
            "days_until_due": 30,
        }
    )
    invoice = api.invoices.create({"customer": customer.id, "auto_advance": False, "currency": "usd"})
    api.invoice_items.create(
        {
            "customer": customer.id,
            "invoice": invoice.id,
            "amount": 150_000,
            "currency": "usd",
            "description": "1,000,000 credits",
        }
    )
    api.invoices.finalize_invoice(invoice.id, {"auto_advance": False})
    return StripeCustomer(customer.id, subscription.id, invoice.id)
