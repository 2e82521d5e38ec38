"""How far use has come towards what limits it: the credits of a period, and the organization's budget."""

from dataclasses import dataclass

from credits.selectors import PeriodCredits
from orgs.usage_limits import Limit

# In percent. Each is told once in a period.
THRESHOLDS = (50, 80, 95, 100)


@dataclass(frozen=True)
class Use:
    """``used`` of ``most``, which is above 0: credits, or cents of US dollars of the budget."""

    limit: Limit
    used: int
    most: int

    @property
    def percent(self) -> int:
        """Rounded down: 100 only where nothing is left."""
        return self.used * 100 // self.most

    @property
    def reached(self) -> list[int]:
        return [threshold for threshold in THRESHOLDS if threshold <= self.percent]

    @property
    def highest(self) -> int:
        """The highest threshold that is reached; 0: none is."""
        return max(self.reached, default=0)


def uses_of(period: PeriodCredits, budget: int | None) -> list[Use]:
    """What limits the period, in this order: its credits, and the budget for those on demand, in cents."""
    uses = [Use(Limit.CREDITS, period.burnt, period.burnt + _unburnt(period))]
    if budget is not None:
        uses.append(Use(Limit.BUDGET, period.cost, budget))
    return [use for use in uses if use.most > 0]


def is_used_up(period: PeriodCredits, budget: int | None) -> bool:
    """Whether use is where it stops: no credits are left, and of the budget, if there is one, nothing is.

    Credits that are bought after the budget was spent are burnt first. Where there are none, none are left.
    """
    return not period.left and (budget is None or period.cost >= budget)


def _unburnt(period: PeriodCredits) -> int:
    """What is left; of a period that is over, what was left to its end."""
    kept = [
        grant
        for grant in period.grants
        if min(grant.expires_at, grant.voided_at or period.until) >= period.until
    ]
    return period.left + sum(grant.expired + grant.voided for grant in kept)
