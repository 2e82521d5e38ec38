"""What happened at Stripe, to whom and when. Amounts in US cents."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from billing.gateway.client import client
from billing.operations.customers import ensure_customer
from devstack.demo.cast import ACME, GLOBEX, HOOLI, INITECH, DemoOrganization
from devstack.demo.usage import months_before
from orgs.models import Membership
from usage.selectors import usage_of_days

if TYPE_CHECKING:
    from stripe.params import PriceCreateParams

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
CURRENCY = "usd"
# https://docs.stripe.com/testing
VISA, MASTERCARD, CARD_THAT_FAILS = "pm_card_visa", "pm_card_mastercard", "pm_card_chargeCustomerFail"


@dataclass(frozen=True)
class DemoPrice:
    """What an edition costs in the demo, per unit and period, and how many credits are in the price.

    ``interval``: empty for what is charged once.
    """

    product: str
    amount: int
    interval: str
    credits: int = 0


PRICES = {
    "team-growth-monthly": DemoPrice("Team Growth", 0, "month"),
    "team-pro-seat-monthly": DemoPrice("Team Pro seat", 50_00, "month"),
    "enterprise-seat-yearly": DemoPrice("Enterprise seat", 1_200_00, "year"),
    "enterprise-growth-yearly": DemoPrice(
        "Enterprise Growth, 12,000,000 credits", 6_000_00, "year", 12_000_000
    ),
    "business-critical-yearly": DemoPrice(
        "Business Critical, 30,000,000 credits", 15_000_00, "year", 30_000_000
    ),
    "enterprise-growth-credits": DemoPrice("1,000,000 prepaid credits", 475_00, "", 1_000_000),
    "business-critical-credits": DemoPrice("1,000,000 prepaid credits", 450_00, "", 1_000_000),
}


@dataclass(frozen=True)
class Step:
    """Something that happened, to be done when the clock stands there."""

    at: datetime
    act: Callable[[], None]


class Story:
    """The past of the four organizations up to ``now``."""

    def __init__(self, now: datetime) -> None:
        self.now = now.astimezone(UTC).replace(microsecond=0)
        self.prices: dict[str, str] = {}

    def steps(self) -> list[Step]:
        """All steps, the first first; each needs those before it."""
        told = [*self._acme(), *self._globex(), *self._initech(), *self._hooli()]
        past = sorted((step for step in told if step.at <= self.now), key=lambda step: step.at)
        return [Step(past[0].at, self._make_prices), *past]

    def _acme(self) -> Iterator[Step]:
        """Pays for credits beyond the free ones, until its card is gone."""
        account = Account(ACME, self.prices)
        months = [months_before(self.now, ago) for ago in (3, 2, 1, 0)]
        yield Step(months[0] + 10 * MINUTE, lambda: account.begin(VISA))
        for month, following in pairwise(months):
            # Just before the renewal, whose invoice takes it along.
            yield Step(following + 5 * MINUTE, bill_credits_of(account, month, following))
        yield Step(self.now - MINUTE, account.lose_card)

    def _globex(self) -> Iterator[Step]:
        """Renews every year, and bought credits in between."""
        account = Account(GLOBEX, self.prices)
        yield Step(months_earlier(self.now - 9 * DAY, 26), lambda: account.begin(MASTERCARD))
        yield Step(months_earlier(self.now, 7), lambda: account.buy("4,000,000 prepaid credits", 1_900_00))

    def _initech(self) -> Iterator[Step]:
        """Pays by the month; the last charge failed on a card that expires soon."""
        account = Account(INITECH, self.prices)
        renewed = self.now - 2 * DAY
        following = months_before(self.now, -1)
        yield Step(months_earlier(renewed, 4), lambda: account.begin(VISA))
        yield Step(
            months_earlier(renewed, 0) - 10 * DAY,
            lambda: account.use_card(CARD_THAT_FAILS, expires=(following.month, following.year)),
        )

    def _hooli(self) -> Iterator[Step]:
        account = Account(HOOLI, self.prices)
        yield Step(months_earlier(self.now - 4 * DAY, 17), lambda: account.begin(VISA))
        yield Step(months_earlier(self.now, 11), lambda: account.buy("Onboarding, two days", 2_400_00))
        yield Step(months_earlier(self.now, 1), lambda: account.buy("Training, three days", 4_500_00))

    def _make_prices(self) -> None:
        for key, price in PRICES.items():
            params: PriceCreateParams = {
                "currency": CURRENCY,
                "unit_amount": price.amount,
                "lookup_key": key,
                "product_data": {"name": price.product},
                "metadata": {"credits": str(price.credits)} if price.credits else {},
            }
            if price.interval:
                params["recurring"] = {"interval": "month" if price.interval == "month" else "year"}
            made = client().v1.prices.create(params)
            self.prices[key] = made.id


class Account:
    """One organization's customer at Stripe, made by the portal for the founder."""

    def __init__(self, cast: DemoOrganization, prices: dict[str, str]) -> None:
        self.cast = cast
        self.prices = prices
        self.founder = Membership.objects.select_related("organization", "user").get(
            organization__slug=cast.slug, user__email=cast.admins[0].email
        )
        self.customer = ""
        self.card = ""

    def begin(self, card: str) -> None:
        """Become a customer, with a card and the edition's subscription."""
        customer = ensure_customer(actor=self.founder)
        if customer is None:
            raise RuntimeError("The Stripe simulator did not answer.")
        self.customer = customer
        client().v1.customers.update(self.customer, {"email": f"invoices@{self.cast.slug}.test"})
        self.use_card(card)
        organization = self.founder.organization
        client().v1.subscriptions.create(
            {
                "customer": self.customer,
                "items": [
                    {
                        "price": self.prices[organization.edition.price_lookup_key],
                        "quantity": organization.seats or 1,
                    }
                ],
            }
        )

    def use_card(self, card: str, *, expires: tuple[int, int] | None = None) -> None:
        """Attach a test card, the default from now on in place of the former; ``expires``: month, year."""
        attached = client().v1.payment_methods.attach(card, {"customer": self.customer})
        if expires:
            month, year = expires
            client().v1.payment_methods.update(attached.id, {"card": {"exp_month": month, "exp_year": year}})
        client().v1.customers.update(
            self.customer, {"invoice_settings": {"default_payment_method": attached.id}}
        )
        self.lose_card()
        self.card = attached.id

    def lose_card(self) -> None:
        if self.card:
            client().v1.payment_methods.detach(self.card)

    def buy(self, description: str, amount: int) -> None:
        """Be invoiced apart from the subscription, and pay at once."""
        client().v1.invoice_items.create(
            {
                "customer": self.customer,
                "currency": CURRENCY,
                "amount": amount,
                "description": description,
            }
        )
        invoice = client().v1.invoices.create(
            {"customer": self.customer, "pending_invoice_items_behavior": "include"}
        )
        client().v1.invoices.pay(invoice.id)


def bill_credits_of(account: Account, start: datetime, end: datetime) -> Callable[[], None]:
    """An act that puts the credits consumed in a month beyond the free ones on the next invoice."""

    def bill() -> None:
        edition = account.founder.organization.edition
        consumed, _now = usage_of_days(account.founder.organization_id, start.date(), end.date())
        beyond = max(consumed - edition.free_credits, 0)
        cents = (edition.credit_price or Decimal(0)) * 100
        if beyond:
            client().v1.invoice_items.create(
                {
                    "customer": account.customer,
                    "currency": CURRENCY,
                    "quantity": beyond,
                    "unit_amount_decimal": cents.normalize(),
                    "description": f"On-demand credits, {start:%B %Y}: {consumed:,} used,"
                    f" {edition.free_credits:,} of them free",
                    "period": {"start": int(start.timestamp()), "end": int(end.timestamp())},
                }
            )

    return bill


def months_earlier(moment: datetime, months: int) -> datetime:
    """The same time of day so many months earlier, on the 28th at the latest."""
    return months_before(moment, months).replace(
        day=min(moment.day, 28), hour=moment.hour, minute=moment.minute, second=moment.second
    )
