"""What comes next and why: the arithmetic of the next charge."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import gettext as _

from billing.models import Subscription
from billing.money import format_price, in_major_units, in_minor_units
from orgs.editions import Edition, Pricing

# Prices of credits are in US dollars.
CREDIT_CURRENCY = "usd"
ENDED = {"canceled", "incomplete_expired", "incomplete", "paused"}


@dataclass(frozen=True)
class ChargeLine:
    """One line of the arithmetic. ``working``: how the amount, in minor units, comes about."""

    label: str
    working: str
    amount: int


@dataclass(frozen=True)
class NextCharge:
    """``estimated``: a part of it still grows."""

    amount: int
    currency: str
    at: datetime
    lines: list[ChargeLine]
    estimated: bool


def next_charge(
    edition: Edition, subscriptions: list[Subscription], credits_this_month: int
) -> NextCharge | None:
    """The charge at the end of the period that ends first; None when nothing will be charged."""
    going_on = [
        (subscription.period_end, subscription.pk, subscription)
        for subscription in subscriptions
        if subscription.status not in ENDED and subscription.will_end_at is None and subscription.period_end
    ]
    if not going_on:
        return None
    ends_at, _pk, first = min(going_on)
    lines = [line for item in first.items if (line := _fixed_line(item, first.currency)) is not None]
    on_demand = _on_demand_line(edition, credits_this_month, first.currency)
    if on_demand is not None:
        lines.append(on_demand)
    return NextCharge(
        amount=sum(line.amount for line in lines),
        currency=first.currency,
        at=ends_at,
        lines=lines,
        estimated=on_demand is not None,
    )


def _fixed_line(item: dict[str, object], currency: str) -> ChargeLine | None:
    """A licensed item: quantity x unit amount, rounded once. Metered and tiered ones have no fixed amount."""
    if item["metered"] or not item["unit_amount"]:
        return None
    quantity, unit = int(str(item["quantity"])), Decimal(str(item["unit_amount"]))
    amount = int((quantity * unit).quantize(Decimal(1), rounding=ROUND_HALF_UP))
    return ChargeLine(
        label=str(item["description"]) or _("Subscription"),
        working=f"{intcomma(quantity)} × {format_price(in_major_units(unit, currency), currency)}",
        amount=amount,
    )


def _on_demand_line(edition: Edition, consumed: int, currency: str) -> ChargeLine | None:
    """Credits beyond the free ones, so far this month, where the edition sells them by use."""
    if edition.pricing is not Pricing.USAGE or edition.credit_price is None or currency != CREDIT_CURRENCY:
        return None
    beyond = max(0, consumed - edition.free_credits)
    return ChargeLine(
        label=_("On-demand credits, so far this month"),
        working=_("%(consumed)s used, %(free)s of them free: %(beyond)s × %(price)s")
        % {
            "consumed": intcomma(consumed),
            "free": intcomma(min(consumed, edition.free_credits)),
            "beyond": intcomma(beyond),
            "price": format_price(edition.credit_price, currency),
        },
        amount=in_minor_units(beyond * edition.credit_price, currency),
    )
