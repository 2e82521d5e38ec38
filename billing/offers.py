"""What can be bought: the editions sold, each with its price as Stripe last told it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.models import Price
from billing.money import format_money, format_price
from orgs.currencies import in_major_units
from orgs.editions import Edition, sold_editions

EACH: dict[str, Promise] = {
    "day": gettext_lazy("a day"),
    "week": gettext_lazy("a week"),
    "month": gettext_lazy("a month"),
    "year": gettext_lazy("a year"),
}


@dataclass(frozen=True)
class Offer:
    """An edition that is sold; ``price`` is None where Stripe has told none, so that it can't be bought."""

    edition: Edition
    price: Price | None

    @property
    def amount(self) -> str:
        """The price of a period, as people read it; empty where there is no figure."""
        return amount_of(self.price) if self.price else ""

    @property
    def period(self) -> str:
        """For what it is charged, and how often: "a year", "a seat each month"."""
        if self.price is None:
            return ""
        if self.edition.per_seat:
            return _("a seat each month") if self.price.interval == "month" else _("a seat each year")
        return period_words(self.price.interval, self.price.interval_count)

    @property
    def besides(self) -> str:
        """What comes to the figure, or that it is all."""
        if self.price is None or not self.amount:
            return ""
        if self.edition.free_credits and not Decimal(self.price.unit_amount):
            return _("and what is used beyond the free credits")
        return tax_words(self.price)

    @property
    def as_of(self) -> datetime | None:
        return self.price.synced_at if self.price else None


def offers_of(editions: Iterable[Edition]) -> list[Offer]:
    """Each at its price. One statement."""
    prices = {price.lookup_key: price for price in Price.objects.all()}
    return [Offer(edition, prices.get(edition.price_lookup_key)) for edition in editions]


def offers() -> list[Offer]:
    """All that is sold today (UTC), in the order of the editions. One statement."""
    return offers_of(sold_editions(on=timezone.now().date()))


def offer_of(edition_code: str) -> Offer | None:
    """What is sold of an edition; None: nothing."""
    return next((offer for offer in offers() if offer.edition.code == edition_code), None)


def amount_of(price: Price) -> str:
    """What one unit costs in a period; empty for a price that depends on use."""
    if not price.unit_amount or price.metered:
        return ""
    amount = Decimal(price.unit_amount)
    if amount == int(amount):
        return format_money(int(amount), price.currency)
    return format_price(in_major_units(amount, price.currency), price.currency)


def tax_words(price: Price) -> str:
    return _("tax included") if price.tax_behavior == "inclusive" else _("plus any tax")


def period_words(interval: str, count: int) -> str:
    """How often something is charged: "a year", "every 3 months"."""
    if count == 1:
        return str(EACH.get(interval, interval))
    plural = {
        "day": ngettext("every %(count)s day", "every %(count)s days", count),
        "week": ngettext("every %(count)s week", "every %(count)s weeks", count),
        "month": ngettext("every %(count)s month", "every %(count)s months", count),
        "year": ngettext("every %(count)s year", "every %(count)s years", count),
    }
    return plural.get(interval, _("every %(count)s periods")) % {"count": count}
