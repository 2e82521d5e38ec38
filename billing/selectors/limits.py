"""The page of limits: how far use has come in the period, and what was told of it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from billing.limits import Use, uses_of
from billing.models import ReachedThreshold
from credits.selectors import PeriodCredits, period_credits
from orgs.currencies import in_minor_units
from orgs.editions import CREDIT_CURRENCY
from orgs.models import Organization
from orgs.usage_limits import Limit
from usage.selectors import usage_of_days

# An hour is counted once it is over, and settled within the next one.
HOURS_UNKNOWN = 2


@dataclass(frozen=True)
class Told:
    """When people were told of a threshold."""

    percent: int
    at: datetime


@dataclass(frozen=True)
class LimitedUse:
    use: Use
    told: list[Told]

    @property
    def is_money(self) -> bool:
        return self.use.limit is Limit.BUDGET


@dataclass(frozen=True)
class Overshoot:
    """By how much use can pass a limit before the product is told: ``cost`` in cents of US dollars."""

    credits: int
    cost: int


@dataclass(frozen=True)
class LimitsPage:
    """``period``: the current one; None: no credits are counted now. ``overshoot``: at what is held now."""

    period: PeriodCredits | None
    uses: list[LimitedUse]
    overshoot: Overshoot | None


def limits_page(organization: Organization) -> LimitsPage:
    period = period_credits(organization.pk)
    return LimitsPage(period, limited_uses(organization, period), _overshoot(organization))


def limited_uses(organization: Organization, period: PeriodCredits | None) -> list[LimitedUse]:
    """What limits the period, each with what was told of it, earliest first."""
    if period is None:
        return []
    told: defaultdict[str, list[Told]] = defaultdict(list)
    rows = ReachedThreshold.objects.for_org(organization).filter(period_start=period.since)
    for row in rows.order_by("told_at", "percent"):
        told[row.limit].append(Told(row.percent, row.told_at))
    return [LimitedUse(use, told[use.limit]) for use in uses_of(period, organization.usage_budget)]


def _overshoot(organization: Organization) -> Overshoot | None:
    """None: nothing is held now, or a credit has no price."""
    tomorrow = timezone.now().date() + timedelta(days=1)
    _none, now = usage_of_days(organization.pk, tomorrow, tomorrow)
    price = organization.edition.credit_price
    if now is None or not now.resources or price is None:
        return None
    amount = HOURS_UNKNOWN * now.resources
    return Overshoot(amount, in_minor_units(amount * price, CREDIT_CURRENCY))
