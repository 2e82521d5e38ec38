"""What pages read of credits."""

import uuid
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from django.utils import timezone

from credits.burning import runs_out_at
from credits.figures import DayCredits, GrantInPeriod, OnDemand, PeriodCredits, SpanCredits
from credits.found import BookedDay, Found, FoundGrant, FoundPeriod, found_at, period_in
from credits.models import Ledger
from credits.spans import invoiced_spans
from usage.periods import beginning, first_full_hour
from usage.projections import project
from usage.selectors import ResourcesNow, resources_now

__all__ = [
    "OnDemand",
    "PeriodCredits",
    "closed_until",
    "credits_now",
    "latest_credits",
    "period_credits",
]


def closed_until(organization_id: uuid.UUID) -> datetime | None:
    """Hours before it that are recorded now count in the period of a later one. None: all are open."""
    found = Ledger.objects.filter(organization=organization_id).values_list("closed_until", flat=True)
    return found.first()


def period_credits(organization_id: uuid.UUID, *, at: datetime | None = None) -> PeriodCredits | None:
    """The period in which ``at`` lies, by default the current one. One statement.

    None: no credits are counted then, or nothing is settled yet.
    """
    now = timezone.now()
    (found,) = found_at(organization_id, at or now)
    return _in_figures(found, at=at or now, now=now)


def credits_now(organization_id: uuid.UUID) -> tuple[PeriodCredits | None, ResourcesNow | None]:
    """The current period, and the resources in the last hour that was counted. One statement."""
    now = timezone.now()
    (found,) = found_at(organization_id, now)
    return _in_figures(found, at=now, now=now), resources_now(found.resources, found.hour)


def latest_credits(organization_id: uuid.UUID) -> PeriodCredits | None:
    """The current period, else the latest one in which credits were counted. Two statements at most."""
    now = timezone.now()
    (found,) = found_at(organization_id, now)
    if current := _in_figures(found, at=now, now=now):
        return current
    period = period_in(found.period) if found.period else None
    if period is None:
        return None
    if period.terms.credit_price is not None:
        return period_credits(organization_id, at=period.terms.starts_at)
    return period_credits(organization_id, at=period.before.since) if period.before else None


def _in_figures(found: Found, *, at: datetime, now: datetime) -> PeriodCredits | None:
    period = period_in(found.period) if found.period else None
    if period is None or period.settled_until is None or at >= period.until:
        return None
    if (price := period.terms.credit_price) is None:
        return None
    since, as_of = period.terms.starts_at, min(now, period.until)
    resources = resources_now(found.resources, found.hour)
    to_come = max(period.settled_until, first_full_hour(since))
    projection = (
        project(found.days, resources, now=now, since=to_come, until=period.until)
        if resources and now < period.until
        else None
    )
    within = {grant.id: _burnt(period, grant) for grant in period.grants}
    unburnt = {grant.id: grant.credits - grant.before - within[grant.id] for grant in period.grants}
    pools = [grant.pool(unburnt[grant.id]) for grant in period.grants]
    order = {pool.grant_id: pool.order for pool in pools}
    rate = projection.resources if projection else 0
    return PeriodCredits(
        edition_code=period.terms.edition_code,
        price=price,
        since=since,
        until=period.until,
        following=period.following,
        before=period.before,
        as_of=as_of,
        settled_until=period.settled_until,
        grants=[
            _in_period(grant, within[grant.id], unburnt[grant.id], as_of)
            for grant in sorted(period.grants, key=lambda grant: order[grant.id])
        ],
        spans=list(_spans(period, price, as_of)),
        days=list(_days(period.booked)),
        runs_out_at=runs_out_at(pools, since=to_come, rate=rate),
        resources=resources,
        projection=projection,
    )


def _burnt(period: FoundPeriod, grant: FoundGrant) -> int:
    return sum(row.credits for row in period.booked if row.grant == grant.id)


def _in_period(grant: FoundGrant, burnt: int, rest: int, as_of: datetime) -> GrantInPeriod:
    is_voided = grant.voided_at is not None and grant.voided_at <= as_of
    is_expired = not is_voided and grant.expires_at <= as_of
    return GrantInPeriod(
        kind=grant.kind,
        source=grant.source,
        credits=grant.credits,
        effective_at=grant.effective_at,
        expires_at=grant.expires_at,
        voided_at=grant.voided_at,
        burnt_before=grant.before,
        burnt=burnt,
        left=0 if is_voided or is_expired else rest,
        expired=rest if is_expired else 0,
        voided=rest if is_voided else 0,
    )


def _spans(period: FoundPeriod, price: Decimal, as_of: datetime) -> Iterator[SpanCredits]:
    begins = period.terms.starts_at
    for span in invoiced_spans(period.terms, period.until):
        if span.since > max(as_of, begins):
            return
        rows = [row for row in period.booked if span.since <= max(beginning(row.day), begins) < span.until]
        beyond = [row for row in rows if row.grant is None]
        yield SpanCredits(
            burnt=sum(row.credits for row in rows if row.grant is not None),
            late=sum(row.late for row in rows),
            on_demand=OnDemand(
                span.since,
                span.until,
                sum(row.credits for row in beyond),
                sum(row.late for row in beyond),
                price,
            ),
            is_closed=period.closed_until is not None and span.until <= period.closed_until,
        )


def _days(booked: list[BookedDay]) -> Iterator[DayCredits]:
    for day, found in groupby(sorted(booked, key=lambda row: row.day), key=lambda row: row.day):
        rows = list(found)
        beyond = sum(row.credits for row in rows if row.grant is None)
        yield DayCredits(beginning(day), sum(row.credits for row in rows), beyond)
