"""A customer at Stripe whose state a test makes there, and what a person of the organization then reads."""

import html
import re
from dataclasses import dataclass
from typing import Any

from django.test import Client

from billing.invoice_states import InvoiceState, state_of
from billing.mirror.reconciliation import reconcile
from billing.models import BillingAccount, Invoice
from billing.money import format_money
from billing.selectors import billing_page
from billing.templatetags.sums import row_label, row_note
from billing.upcoming import Upcoming
from orgs.models import Membership
from tests.billing.world import StripeWorld


@dataclass(frozen=True)
class Told:
    stripe: StripeWorld
    account: BillingAccount
    reader: Membership
    browser: Client

    @property
    def api(self) -> Any:
        return self.stripe.api

    @property
    def customer(self) -> str:
        return str(self.account.stripe_customer_id)

    # What is so at Stripe

    def save(self, method: str = "pm_card_visa", *, is_default: bool = True) -> str:
        if is_default:
            return self.stripe.attach_default(self.account, method)
        return str(self.api.payment_methods.attach(method, {"customer": self.customer}).id)

    def make_method(self, kind: str, **details: Any) -> str:
        """Such as of Link or a SEPA debit; not attached yet."""
        person = {"name": "Test Company", "email": "pay@ledger.test"}
        given = {"type": kind, "billing_details": person, **({kind: details} if details else {})}
        return str(self.api.payment_methods.create(given).id)

    def price(
        self, amount: int | None, interval: str = "month", *, currency: str = "usd", **terms: Any
    ) -> str:
        recurring = {"interval": interval, **terms.pop("recurring", {})}
        product = self.api.products.create({"name": "Thing"}).id
        given = {"product": product, "currency": currency, "recurring": recurring, **terms}
        return str(self.api.prices.create(given if amount is None else {**given, "unit_amount": amount}).id)

    def subscribe(self, *prices: str, quantity: int = 1, **terms: Any) -> Any:
        items = [{"price": price, "quantity": quantity} for price in prices]
        return self.api.subscriptions.create({"customer": self.customer, "items": items, **terms})

    def change(self, subscription: Any, **terms: Any) -> None:
        self.api.subscriptions.update(subscription.id, terms)

    def change_item(self, subscription: Any, **terms: Any) -> None:
        """Prorated onto the next invoice."""
        self.change(subscription, items=[{"id": subscription["items"].data[0].id, **terms}])

    def balance(self, amount: int, currency: str = "usd") -> None:
        """Below zero, the customer has it to their credit."""
        given = {"amount": amount, "currency": currency}
        self.api.customers.balance_transactions.create(self.customer, given)

    def coupon(self, **terms: Any) -> str:
        return str(self.api.coupons.create({"duration": "forever", **terms}).id)

    def tax_rate(self, name: str, percentage: float, *, inclusive: bool) -> str:
        given = {"display_name": name, "percentage": percentage, "inclusive": inclusive}
        return str(self.api.tax_rates.create(given).id)

    def latest_invoice(self) -> Any:
        return self.api.invoices.list({"customer": self.customer, "limit": 1}).data[0]

    def paid_in_all(self) -> int:
        return sum(
            invoice.amount_paid for invoice in self.api.invoices.list({"customer": self.customer}).data
        )

    # What is read here

    def hear(self) -> "Told":
        """Compare with Stripe, so that the mirror is up to date."""
        reconcile(self.account.organization)
        return self

    def upcoming(self) -> list[Upcoming]:
        return billing_page(self.reader).upcoming

    def charges(self) -> list[tuple[int, str]]:
        return [(charge.amount, charge.currency) for charge in billing_page(self.reader).next_charges]

    def page(self) -> str:
        """*Billing & usage*."""
        return self._read("")

    def invoice(self) -> Invoice:
        """The latest one that a person sees."""
        return (
            Invoice.objects.for_org(self.account.organization_id).issued().latest("created_at", "stripe_id")
        )

    def state(self) -> InvoiceState:
        return state_of(self.invoice())

    def rows(self) -> list[tuple[str, str, str]]:
        """The latest invoice's sums: label, note and amount as they are read."""
        invoice = self.invoice()
        return [
            (row_label(row), row_note(row, invoice.currency), format_money(row.amount, invoice.currency))
            for row in invoice.sums
        ]

    def amounts(self) -> list[tuple[str, str]]:
        return [(label, amount) for label, _note, amount in self.rows()]

    def invoice_page(self) -> str:
        return self._read(f"invoices/{self.invoice().pk}/")

    def _read(self, path: str) -> str:
        answer = self.browser.get(f"/orgs/{self.reader.organization.slug}/settings/billing/{path}")
        assert answer.status_code == 200
        (main,) = re.findall(r"<main.*</main>", answer.content.decode(), re.DOTALL)
        return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", main)))
