"""The burn order: of which grants the credits of an hour are taken, and what is on demand.

Pure functions. A credit is one resource for one hour. Spans are half-open, in UTC: what begins at an instant
counts at it, what ends at it no longer does.
"""

import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple


@dataclass(frozen=True, kw_only=True)
class Pool:
    """What can still be burnt of a grant: ``left`` credits, from ``effective_at`` up to ``ends_at``.

    ``ends_at``: when it expires, or was voided before. A voiding changes nothing of the order before it.
    """

    grant_id: uuid.UUID
    promotional: bool
    priority: int
    effective_at: datetime
    expires_at: datetime
    ends_at: datetime
    left: int

    @property
    def order(self) -> tuple[object, ...]:
        """Soonest expiring first, then by priority, then promotional before paid; the rest decides ties."""
        return (self.expires_at, self.priority, not self.promotional, self.effective_at, self.grant_id)

    def is_open(self, at: datetime) -> bool:
        return self.effective_at <= at < self.ends_at


class Charge(NamedTuple):
    """Credits consumed in ``hour``, and counted at ``booked_at``; negative: fewer than were counted once."""

    booked_at: datetime
    hour: datetime
    credits: int


class Line(NamedTuple):
    """What the ledger adds up: the burn of one grant in one hour; ``grant_id`` is None for on demand."""

    booked_at: datetime
    hour: datetime
    grant_id: uuid.UUID | None


def burn(charges: Iterable[Charge], pools: Iterable[Pool]) -> dict[Line, int]:
    """What the charges come to, in the order in which they were booked, whatever order they come in.

    Negative ones take from those after them, so that what was once burnt of a free grant isn't paid back.
    """
    ordered = sorted(pools, key=lambda pool: pool.order)
    left = {pool.grant_id: pool.left for pool in ordered}
    lines: Counter[Line] = Counter()
    paid_back = 0
    for charge in sorted(charges, key=lambda charge: (charge.credits > 0, *charge)):
        due = charge.credits
        on_demand = Line(charge.booked_at, charge.hour, None)
        if due < 0:
            paid_back -= due
            lines[on_demand] += due
            continue
        again = min(due, paid_back)
        paid_back -= again
        due -= again
        for pool in ordered:
            if due and left[pool.grant_id] and pool.is_open(charge.booked_at):
                burnt = min(due, left[pool.grant_id])
                left[pool.grant_id] -= burnt
                due -= burnt
                lines[on_demand._replace(grant_id=pool.grant_id)] += burnt
        lines[on_demand] += again + due
    return {line: amount for line, amount in lines.items() if amount}


def runs_out_at(pools: Iterable[Pool], *, since: datetime, rate: int) -> datetime | None:
    """When nothing is left to burn, at ``rate`` credits an hour from ``since`` on.

    None: at that rate some are left when the last of them end, or nothing is burnt.
    """
    if not rate:
        return None
    at, lasting = since, False
    for pool in sorted(pools, key=lambda pool: pool.order):
        if not pool.left or pool.ends_at <= at:
            continue
        if pool.effective_at > at:
            break
        seconds = (pool.ends_at - at).total_seconds()
        lasting = pool.left * 3600 > rate * seconds
        at = pool.ends_at if lasting else at + timedelta(seconds=pool.left * 3600 / rate)
    return None if lasting else at
