"""An organization that has bought an edition at Stripe, and what people press on the pages of its plan."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from typing import Any

from django.http import HttpResponse
from django.test import Client

from billing.account_check import INTERVALS
from billing.mirror.prices import sync_prices
from billing.mirror.reconciliation import reconcile
from billing.models import BillingAccount, StripeOperation, Subscription
from orgs.editions import EDITIONS, Edition
from orgs.models import Membership, Organization
from tests.billing.mishaps import Clock
from tests.billing.pages import billing_url
from tests.billing.world import StripeWorld
from tests.world import signed_in

AMOUNTS = {
    "team-growth": 0,
    "team-pro": 5000,
    "enterprise": 120000,
    "enterprise-growth": 600000,
    "business-critical": 1500000,
}


@dataclass
class Customer:
    """Of the organization: on an edition, with a card and a tax of 20 %.

    ``included``: prepaid credits in the price of an edition.
    """

    stripe: StripeWorld
    account: BillingAccount
    reader: Membership
    clock: Clock
    browser: Client
    prices: dict[str, str] = field(default_factory=dict)
    included: dict[str, int] = field(default_factory=dict)

    @property
    def api(self) -> Any:
        return self.stripe.api

    @property
    def organization(self) -> Organization:
        return Organization.objects.get(pk=self.account.organization_id)

    def buy(self, edition: str, quantity: int = 1, **terms: Any) -> Any:
        for one in EDITIONS:
            self.prices[one.code] = self._price(one)
        sync_prices()
        vat = self.api.tax_rates.create({"display_name": "VAT", "percentage": 20, "inclusive": False})
        made = self.api.subscriptions.create(
            {
                "customer": self.account.stripe_customer_id,
                "items": [{"price": self.prices[edition], "quantity": quantity}],
                "default_tax_rates": [vat.id],
                **terms,
            }
        )
        self.hear()
        return made

    def _price(self, edition: Edition) -> str:
        product = self.api.products.create({"name": edition.name}).id
        given = {
            "product": product,
            "currency": "usd",
            "unit_amount": AMOUNTS[edition.code],
            "lookup_key": edition.price_lookup_key,
            "recurring": {"interval": INTERVALS[edition.invoiced]},
            "metadata": {"credits": str(self.included.get(edition.code, ""))},
        }
        return str(self.api.prices.create(given).id)

    def hear(self) -> None:
        reconcile(self.account.organization)

    def subscription(self) -> Any:
        (found,) = self.api.subscriptions.list({"customer": self.account.stripe_customer_id}).data
        return found

    def row(self) -> Subscription:
        return Subscription.objects.get(organization=self.account.organization_id)

    def invoices(self) -> list[Any]:
        return list(self.api.invoices.list({"customer": self.account.stripe_customer_id}).data)

    def half_of_the_period(self) -> None:
        item = self.subscription()["items"].data[0]
        self._wait_until((item.current_period_start + item.current_period_end) // 2)

    def end_of_the_period(self) -> None:
        self._wait_until(int(self.subscription()["items"].data[0].current_period_end))
        self.hear()

    def _wait_until(self, moment: int) -> None:
        """Here and at Stripe; the person's session has ended by then."""
        self.stripe.control.set_clock(moment)
        self.clock.ahead = datetime.fromtimestamp(moment, UTC) - datetime.now(UTC)
        self.browser = signed_in(self.reader.user)

    # What is pressed

    def url(self, rest: str) -> str:
        return billing_url(self.account.organization, rest)

    def get(self, rest: str) -> str:
        answer = self.browser.get(self.url(rest))
        assert answer.status_code == 200
        return answer.content.decode()

    def press(self, rest: str, *, page: str | None = None, **data: Any) -> HttpResponse:
        """Press what the page offers; ``page``: as it was drawn before."""
        return self.browser.post(self.url(rest), {"offer": sealed_in(page or self.get(rest)), **data})


def sealed_in(page: str) -> str:
    found = re.search(r'name="offer"\s+value="([^"]+)"', page)
    assert found, text_of(page)
    return unescape(found[1])


def text_of(page: str) -> str:
    (main,) = re.findall(r"<main.*</main>", page, re.DOTALL) or [page]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main))).replace("\xa0", " ")


def operation() -> StripeOperation:
    return StripeOperation.objects.exclude(kind="create_customer").latest("created_at")
