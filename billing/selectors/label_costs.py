"""*Cost by label*: of a period's credits and their cost on demand, what came from which label of stacks."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from billing.parts import parts_of
from credits.selectors import PeriodCredits, latest_credits, period_credits
from orgs.models import Organization
from usage.labels import resource_hours_by_label

# A share in percent has one decimal.
PER_MILLE = 1000


@dataclass(frozen=True)
class LabelCost:
    """``label``: empty for what has none. ``credits``, ``cost`` (cents of US dollars): its parts of what the
    ledger says. ``share``: of the resource hours, in percent.
    """

    label: str
    credits: int
    cost: int
    share: Decimal


@dataclass(frozen=True)
class LabelCostsPage:
    """``period``: None where no credits were counted. ``rows``: the largest first, what has no label last."""

    period: PeriodCredits | None
    rows: list[LabelCost]

    @property
    def earlier(self) -> str:
        """An instant of the period before, for the address; empty where there is none."""
        before = self.period.before if self.period else None
        return before.since.isoformat() if before else ""


def label_costs_page(organization: Organization, *, at: datetime | None = None) -> LabelCostsPage:
    """Of the period in which ``at`` lies, by default the latest one. Four statements at most."""
    period = period_credits(organization.pk, at=at) if at else latest_credits(organization.pk)
    return LabelCostsPage(period, _rows(organization, period) if period else [])


def _rows(organization: Organization, period: PeriodCredits) -> list[LabelCost]:
    until = min(period.until, period.settled_until)
    hours = resource_hours_by_label(organization.pk, period.since, until)
    labels = sorted(hours, key=lambda label: (not label, -hours[label], label))
    weights = [hours[label] for label in labels]
    parts = zip(
        labels,
        parts_of(period.consumed, weights),
        parts_of(period.cost, weights),
        parts_of(PER_MILLE, weights),
        strict=True,
    )
    return [
        LabelCost(label, credits_, cost, Decimal(share).scaleb(-1)) for label, credits_, cost, share in parts
    ]
