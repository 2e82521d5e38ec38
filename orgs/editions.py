"""The editions sold, as data with effective dates.

Code asks an edition for its terms and never for its name.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Pricing(StrEnum):
    USAGE = "usage"
    PER_SEAT = "per_seat"
    PREPAID_CREDITS = "prepaid_credits"


class InvoicingFrequency(StrEnum):
    MONTHLY = "monthly"
    YEARLY = "yearly"

    @property
    def label(self) -> Promise:
        return {self.MONTHLY: _("monthly"), self.YEARLY: _("yearly")}[self]


class UnknownEditionError(LookupError):
    """No edition of that code is in effect on that day."""


@dataclass(frozen=True, kw_only=True)
class Edition:
    """The terms of one edition from a day on.

    ``billing_managers``: how many at a time, None for any number.
    ``free_credits``: promotional credits per calendar month, without rollover.
    ``credit_price``: US dollars for a credit beyond free and prepaid ones, None where credits aren't sold.
    ``price_lookup_key``: the Stripe price that a subscription to this edition carries.
    ``pack_lookup_key``: the Stripe price, charged once, of a pack of more credits; empty: none are sold.
    ``legacy``: goes on for those who have it, and is sold to nobody anew.
    """

    code: str
    name: str
    effective_from: date
    pricing: Pricing
    invoiced: InvoicingFrequency
    billing_managers: int | None
    seats_editable: bool
    free_credits: int = 0
    credit_price: Decimal | None = None
    price_lookup_key: str
    pack_lookup_key: str = ""
    legacy: bool = False

    @property
    def per_seat(self) -> bool:
        return self.pricing is Pricing.PER_SEAT

    @property
    def prepaid(self) -> bool:
        return self.pricing is Pricing.PREPAID_CREDITS


# Prices of credits are in US dollars.
CREDIT_CURRENCY = "usd"

SEED_ERA = date(2022, 8, 11)

EDITIONS = (
    Edition(
        code="team-growth",
        name="Team Growth",
        effective_from=SEED_ERA,
        pricing=Pricing.USAGE,
        invoiced=InvoicingFrequency.MONTHLY,
        billing_managers=1,
        seats_editable=False,
        free_credits=150_000,
        credit_price=Decimal("0.00025"),
        price_lookup_key="team-growth-monthly",
    ),
    Edition(
        code="team-pro",
        name="Team Pro",
        effective_from=SEED_ERA,
        pricing=Pricing.PER_SEAT,
        invoiced=InvoicingFrequency.MONTHLY,
        billing_managers=1,
        seats_editable=True,
        price_lookup_key="team-pro-seat-monthly",
        legacy=True,
    ),
    Edition(
        code="enterprise",
        name="Enterprise",
        effective_from=SEED_ERA,
        pricing=Pricing.PER_SEAT,
        invoiced=InvoicingFrequency.YEARLY,
        billing_managers=None,
        seats_editable=True,
        credit_price=Decimal("0.0005"),
        price_lookup_key="enterprise-seat-yearly",
        legacy=True,
    ),
    Edition(
        code="enterprise-growth",
        name="Enterprise Growth",
        effective_from=SEED_ERA,
        pricing=Pricing.PREPAID_CREDITS,
        invoiced=InvoicingFrequency.YEARLY,
        billing_managers=None,
        seats_editable=False,
        credit_price=Decimal("0.0005"),
        price_lookup_key="enterprise-growth-yearly",
        pack_lookup_key="enterprise-growth-credits",
    ),
    Edition(
        code="business-critical",
        name="Business Critical",
        effective_from=SEED_ERA,
        pricing=Pricing.PREPAID_CREDITS,
        invoiced=InvoicingFrequency.YEARLY,
        billing_managers=None,
        seats_editable=False,
        credit_price=Decimal("0.0005"),
        price_lookup_key="business-critical-yearly",
        pack_lookup_key="business-critical-credits",
    ),
)

# What a person who creates an organization gets; the others are sold by subscription changes.
STARTING_EDITION = "team-growth"


def edition_of(code: str, *, on: date) -> Edition:
    """The terms of edition ``code`` in effect on a day (UTC). Raises UnknownEditionError."""
    in_effect = [e for e in EDITIONS if e.code == code and e.effective_from <= on]
    if not in_effect:
        raise UnknownEditionError(f"No edition {code!r} in effect on {on}.")
    return max(in_effect, key=lambda edition: edition.effective_from)


def sold_editions(*, on: date) -> list[Edition]:
    """What can be bought on a day (UTC), on the terms of that day."""
    codes = dict.fromkeys(edition.code for edition in EDITIONS if edition.effective_from <= on)
    return [edition for code in codes if not (edition := edition_of(code, on=on)).legacy]


def edition_for_price(lookup_key: str, *, on: date) -> Edition | None:
    """The edition that a Stripe price sells, as it is on a day (UTC); None for a price that no edition knows.

    The price of earlier terms still sells its edition, since those who bought by it go on paying it.
    """
    known = [e for e in EDITIONS if e.price_lookup_key == lookup_key and e.effective_from <= on]
    if not known:
        return None
    return edition_of(max(known, key=lambda edition: edition.effective_from).code, on=on)


def edition_name(code: str) -> str:
    """What the edition is sold as now. Raises UnknownEditionError."""
    return edition_of(code, on=timezone.now().date()).name
