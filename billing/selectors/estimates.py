"""What credits cost at an edition's rate: of one's own use, and of resources that somebody thinks of."""

from dataclasses import dataclass
from decimal import Decimal

from orgs.currencies import in_minor_units
from orgs.editions import CREDIT_CURRENCY, Edition

# A twelfth of 365 days: shown, and reckoned with, only where a page says so. What is charged has real hours.
AVERAGE_MONTH_HOURS = 730
SHORTEST_MONTH_HOURS, LONGEST_MONTH_HOURS = 28 * 24, 31 * 24


@dataclass(frozen=True)
class CreditCost:
    """Credits of one month at the ``price`` of each beyond the ``free`` ones, in US dollars.

    Credits that an edition's price includes are left out.
    """

    credits: int
    free: int
    price: Decimal

    @property
    def free_used(self) -> int:
        return min(self.credits, self.free)

    @property
    def beyond(self) -> int:
        return self.credits - self.free_used

    @property
    def amount(self) -> int:
        """In cents, rounded once, half up."""
        return in_minor_units(self.beyond * self.price, CREDIT_CURRENCY)


@dataclass(frozen=True)
class Month:
    """So many resources in each of the hours of a month."""

    resources: int
    hours: int = AVERAGE_MONTH_HOURS

    @property
    def credits(self) -> int:
        return self.resources * self.hours


def credit_cost(edition: Edition, used: int) -> CreditCost | None:
    """None where the edition sells no credits."""
    if edition.credit_price is None:
        return None
    return CreditCost(used, edition.free_credits, edition.credit_price)
