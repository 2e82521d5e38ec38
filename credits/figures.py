"""The figures of a period of credits, each with its parts, so that it can be worked out again."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import gettext as _

from credits.found import PeriodBefore
from credits.models import BY_STAFF, OF_PERIOD, GrantKind
from orgs.currencies import in_minor_units
from orgs.editions import CREDIT_CURRENCY
from usage.charts import rounded
from usage.periods import HOUR, first_full_hour
from usage.projections import Projection
from usage.selectors import ResourcesNow


@dataclass(frozen=True)
class GrantInPeriod:
    """A grant as a period uses it. ``burnt_before``: in earlier ones. ``source``: see ``Grant``.

    ``left``, ``expired``, ``voided``: what is not burnt is one of these, at ``as_of`` of the period.
    """

    kind: GrantKind
    source: str
    credits: int
    effective_at: datetime
    expires_at: datetime
    voided_at: datetime | None
    burnt_before: int
    burnt: int
    left: int
    expired: int
    voided: int

    @property
    def usable(self) -> int:
        """What the period had of it to burn."""
        return self.credits - self.burnt_before

    @property
    def ends_at(self) -> datetime:
        return min(filter(None, (self.expires_at, self.voided_at)))

    @property
    def lost(self) -> int:
        """What ended before it was burnt."""
        return self.expired + self.voided

    @property
    def is_free(self) -> bool:
        return self.kind is GrantKind.PROMOTIONAL

    @property
    def is_given(self) -> bool:
        """Whether support gave them."""
        return self.source.startswith(BY_STAFF)

    @property
    def comes_with_period(self) -> bool:
        return self.source.startswith(OF_PERIOD)


@dataclass(frozen=True)
class OnDemand:
    """Credits beyond the grants over a span that is invoiced together. ``late``: of them, those of hours that
    were counted after their own span was closed.
    """

    since: datetime
    until: datetime
    credits: int
    late: int
    price: Decimal

    @property
    def exact(self) -> Decimal:
        """What they come to before it is rounded, in US dollars."""
        return self.credits * self.price

    @property
    def cost(self) -> int:
        """In cents of US dollars, rounded once, half up."""
        return in_minor_units(self.exact, CREDIT_CURRENCY)


@dataclass(frozen=True)
class SpanCredits:
    """What is invoiced together. ``late``: of all its credits, those of hours before it.

    ``is_closed``: no figure of it changes any more.
    """

    burnt: int
    late: int
    on_demand: OnDemand
    is_closed: bool

    @property
    def since(self) -> datetime:
        return self.on_demand.since

    @property
    def until(self) -> datetime:
        return self.on_demand.until

    @property
    def credits(self) -> int:
        return self.burnt + self.on_demand.credits


class DayCredits(NamedTuple):
    """Credits that count on a UTC day."""

    start: datetime
    credits: int
    on_demand: int


@dataclass(frozen=True)
class PeriodCredits:
    """``settled_until``: the hours before it are in the figures. ``as_of``: now, or the period's end.

    ``grants``: in the order in which they are burnt. ``spans``: those that have begun. ``days``: those that
    have some. ``runs_out_at``: when nothing is left at today's rate; None: it outlasts the grants, or nothing
    runs. ``resources``: in the last hour that was counted, whether or not it is settled. ``projection``: of
    what is not settled yet, up to the period's end; None where that is over, or nothing was counted lately.
    """

    edition_code: str
    price: Decimal
    since: datetime
    until: datetime
    following: datetime | None
    before: PeriodBefore | None
    as_of: datetime
    settled_until: datetime
    grants: list[GrantInPeriod]
    spans: list[SpanCredits]
    days: list[DayCredits]
    runs_out_at: datetime | None
    resources: ResourcesNow | None
    projection: Projection | None

    @property
    def given(self) -> int:
        return sum(grant.credits for grant in self.grants)

    @property
    def burnt_before(self) -> int:
        return sum(grant.burnt_before for grant in self.grants)

    @property
    def usable(self) -> int:
        """What the period had to burn: what it was given, and what was left of earlier ones."""
        return sum(grant.usable for grant in self.grants)

    @property
    def lost(self) -> int:
        """What ended before it was burnt."""
        return sum(grant.lost for grant in self.grants)

    @property
    def burnt(self) -> int:
        return sum(grant.burnt for grant in self.grants)

    @property
    def on_demand(self) -> list[OnDemand]:
        """A line for each span that has some."""
        return [span.on_demand for span in self.spans if span.on_demand.credits]

    @property
    def beyond(self) -> int:
        return sum(line.credits for line in self.on_demand)

    @property
    def consumed(self) -> int:
        return self.burnt + self.beyond

    @property
    def left(self) -> int:
        return sum(grant.left for grant in self.grants)

    @property
    def cost(self) -> int:
        """What the credits on demand cost so far, in cents of US dollars: the sum of the lines."""
        return sum(line.cost for line in self.on_demand)

    @property
    def still_open(self) -> list[OnDemand]:
        """Of ``on_demand`` what is on no invoice yet, since it may still change."""
        return [span.on_demand for span in self.spans if span.on_demand.credits and not span.is_closed]

    @property
    def open_cost(self) -> int:
        return sum(line.cost for line in self.still_open)

    @property
    def expected(self) -> int | None:
        """Consumed by the end of the period."""
        return self.consumed + self.projection.still_to_come if self.projection else None

    @property
    def least(self) -> Decimal | None:
        return self.consumed + self.projection.hours * self.projection.lowest if self.projection else None

    @property
    def most(self) -> Decimal | None:
        return self.consumed + self.projection.hours * self.projection.highest if self.projection else None

    @property
    def lasts_until(self) -> datetime | None:
        """When they run out, if that is before the period's end."""
        return self.runs_out_at if self.runs_out_at and self.runs_out_at < self.until else None

    @property
    def percent_used(self) -> int:
        """Of what the period had to burn, whole percents."""
        return 100 * self.burnt // (self.usable or 1)

    @property
    def percent_passed(self) -> int:
        return 100 * (self.as_of - self.since) // (self.until - self.since)

    @property
    def compared(self) -> str:
        """How much more an hour uses than in the period before, or less; empty with nothing to compare."""
        hours = (min(self.settled_until, self.until) - self.since) // HOUR
        if hours <= 0 or self.before is None or not self.before.credits:
            return ""
        change = Decimal(self.consumed) / hours / self.before.hourly - 1
        if not (percent := int(rounded(100 * change))):
            return _("An hour uses as many as in the period before.")
        words = _("An hour uses %(percent)s%% more than in the period before.")
        if percent < 0:
            words = _("An hour uses %(percent)s%% fewer than in the period before.")
        return words % {"percent": abs(percent)}

    @property
    def expected_beyond(self) -> int | None:
        """On demand by the end of the period."""
        if self.projection is None or self.runs_out_at is None:
            return self.beyond if self.projection else None
        seconds = max(0, int((first_full_hour(self.until) - self.runs_out_at).total_seconds()))
        after = self.projection.resources * seconds // 3600
        return self.beyond + min(after, self.projection.still_to_come)

    @property
    def expected_cost(self) -> int | None:
        """Of those, in cents of US dollars."""
        if self.expected_beyond is None:
            return None
        return in_minor_units(self.expected_beyond * self.price, CREDIT_CURRENCY)
