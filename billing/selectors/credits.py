"""Credits consumed in a subscription's period, and what those beyond the free ones cost: our own count."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from billing.models import Subscription
from orgs.currencies import in_minor_units
from orgs.editions import CREDIT_CURRENCY, Edition, Pricing


@dataclass(frozen=True)
class Span:
    """``until`` is None where no end is known."""

    since: datetime
    until: datetime | None


@dataclass(frozen=True)
class Credits:
    """Credits consumed in ``span``. ``free``: promotional ones of it. ``price``: of each one beyond."""

    consumed: int
    free: int
    span: Span
    price: Decimal | None

    @property
    def left(self) -> int:
        return max(0, self.free - self.consumed)

    @property
    def beyond(self) -> int:
        """How many went beyond the free ones, where there are any: they are on demand."""
        return max(0, self.consumed - self.free) if self.free else 0

    @property
    def on_demand(self) -> int | None:
        """What those beyond cost so far, in cents of US dollars, where the edition sells them by use."""
        if self.price is None or not self.free:
            return None
        return in_minor_units(self.beyond * self.price, CREDIT_CURRENCY)


def credit_span(edition: Edition, subscriptions: list[Subscription]) -> Span | None:
    """Over which credits are counted: the period (UTC) of the subscription that carries the edition's price.

    Sold by use without a subscription: the calendar month. Prepaid without one: none.
    """
    if edition.pricing is not Pricing.USAGE and not edition.prepaid:
        return None
    carrying = [one for one in subscriptions if _carries(one, edition.price_lookup_key)]
    for subscription in [*carrying, *subscriptions]:
        if subscription.period_start is not None:
            return Span(subscription.period_start, subscription.period_end)
    if edition.prepaid:
        return None
    return Span(timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0), None)


def _carries(subscription: Subscription, lookup_key: str) -> bool:
    return any(item["lookup_key"] == lookup_key for item in subscription.items)
