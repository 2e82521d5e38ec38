"""What pages read of credits: each figure with its parts, so that it can be worked out again."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db.models import BigIntegerField, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, TruncMonth
from django.utils import timezone

from credits.burning import runs_out_at
from credits.models import Entry, Grant, GrantKind, Ledger, Period
from credits.spans import end_of, invoiced_spans
from orgs.currencies import in_minor_units
from orgs.editions import CREDIT_CURRENCY, edition_of
from usage.models import OrganizationHour


def closed_until(organization_id: uuid.UUID) -> datetime | None:
    """Hours before it that are recorded now count in the period of a later one. None: all are open."""
    found = Ledger.objects.filter(organization=organization_id).values_list("closed_until", flat=True)
    return found.first()


def prepaid_period(organization_id: uuid.UUID, *, at: datetime) -> Period | None:
    """The period in which ``at`` lies, where its edition is prepaid."""
    begun = Period.objects.for_org(organization_id).filter(starts_at__lte=at, credit_price__isnull=False)
    period = begun.order_by("-starts_at").first()
    if period is None or period.ends_at <= at:
        return None
    return period if edition_of(period.edition_code, on=at.date()).prepaid else None


@dataclass(frozen=True)
class GrantInPeriod:
    """A grant as a period uses it. ``burnt_before``: in earlier ones.

    ``left``, ``expired``, ``voided``: what is not burnt is one of these, at ``as_of`` of the period.
    """

    kind: GrantKind
    credits: int
    effective_at: datetime
    expires_at: datetime
    voided_at: datetime | None
    burnt_before: int
    burnt: int
    left: int
    expired: int
    voided: int


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
    def cost(self) -> int:
        """In cents of US dollars, rounded once, half up."""
        return in_minor_units(self.credits * self.price, CREDIT_CURRENCY)


@dataclass(frozen=True)
class PeriodCredits:
    """``settled_until``: the hours before it are in the figures. ``as_of``: now, or the period's end.

    ``grants``: in the order in which they are burnt. ``on_demand``: a line for each span that has some.
    ``runs_out_at``: when nothing is left at today's rate; None: it outlasts the grants, or nothing runs.
    """

    edition_code: str
    since: datetime
    until: datetime
    as_of: datetime
    settled_until: datetime
    grants: list[GrantInPeriod]
    on_demand: list[OnDemand]
    runs_out_at: datetime | None

    def granted(self, kind: GrantKind) -> int:
        return sum(grant.credits for grant in self.grants if grant.kind == kind)

    @property
    def burnt(self) -> int:
        return sum(grant.burnt for grant in self.grants)

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


def period_credits(organization_id: uuid.UUID, *, at: datetime | None = None) -> PeriodCredits | None:
    """The period in which ``at`` lies, by default the current one. Three statements.

    None: no credits are counted then, or nothing is settled yet.
    """
    now = timezone.now()
    period = _period_at(organization_id, at or now)
    if period is None or period.credit_price is None or period.settled_until is None:
        return None
    until = end_of(period, period.following)
    if (at or now) >= until:
        return None
    as_of = min(now, until)
    grants = {grant.pk: grant for grant in _grants(organization_id, period.starts_at, until)}
    pools = sorted((grant.pool(_unburnt(grant)) for grant in grants.values()), key=lambda pool: pool.order)
    lasts_until = runs_out_at(pools, since=period.settled_until, rate=period.rate or 0)
    return PeriodCredits(
        edition_code=period.edition_code,
        since=period.starts_at,
        until=until,
        as_of=as_of,
        settled_until=period.settled_until,
        grants=[_in_period(grants[pool.grant_id], as_of) for pool in pools],
        on_demand=_on_demand(period, until),
        runs_out_at=lasts_until if now < until else None,
    )


def _period_at(organization_id: uuid.UUID, at: datetime) -> Any:
    """With ``following``, when the next one starts; ``settled_until``; ``rate``, credits of the last hour."""
    ledger = Ledger.objects.filter(organization=organization_id)
    begun = Period.objects.for_org(organization_id).filter(starts_at__lte=at)
    later = Period.objects.for_org(organization_id).filter(starts_at__gt=OuterRef("starts_at"))
    hours = OrganizationHour.objects.filter(organization=organization_id).order_by("-hour")
    return (
        begun.annotate(
            following=Subquery(later.order_by("starts_at").values("starts_at")[:1]),
            settled_until=Subquery(ledger.values("settled_until")),
            rate=Subquery(hours.values("resources")[:1]),
        )
        .order_by("-starts_at")
        .first()
    )


def _grants(organization_id: uuid.UUID, since: datetime, until: datetime) -> QuerySet[Grant]:
    """Those that a period can use, each with what was burnt of it ``before`` and ``within``."""
    burnt = Entry.objects.for_org(organization_id).filter(grant=OuterRef("pk"), booked_at__lt=until)
    before = burnt.filter(booked_at__lt=since)
    within = burnt.filter(booked_at__gte=since)
    return (
        Grant.objects.for_org(organization_id)
        .filter(effective_at__lt=until, expires_at__gt=since)
        .exclude(voiding__voided_at__lte=since)
        .select_related("voiding")
        .annotate(before=_total(before), within=_total(within))
    )


def _total(entries: QuerySet[Entry]) -> Coalesce:
    sums = entries.order_by().values("organization").annotate(total=Sum("credits")).values("total")
    return Coalesce(Subquery(sums, output_field=BigIntegerField()), 0)


def _unburnt(grant: Any) -> int:
    return int(grant.credits - grant.before - grant.within)


def _in_period(grant: Any, as_of: datetime) -> GrantInPeriod:
    rest = _unburnt(grant)
    is_voided = grant.voided_at is not None and grant.voided_at <= as_of
    is_expired = not is_voided and grant.expires_at <= as_of
    return GrantInPeriod(
        kind=GrantKind(grant.kind),
        credits=grant.credits,
        effective_at=grant.effective_at,
        expires_at=grant.expires_at,
        voided_at=grant.voided_at,
        burnt_before=grant.before,
        burnt=grant.within,
        left=0 if is_voided or is_expired else rest,
        expired=rest if is_expired else 0,
        voided=rest if is_voided else 0,
    )


def _on_demand(period: Period, until: datetime) -> list[OnDemand]:
    entries = Entry.objects.for_org(period.organization_id).filter(
        grant=None, booked_at__gte=period.starts_at, booked_at__lt=until
    )
    by_month = entries.annotate(month=TruncMonth("booked_at", tzinfo=UTC)).values_list("month")
    sums = by_month.annotate(total=Sum("credits"), late=Sum("credits", filter=Q(booked_at__gt=F("hour"))))
    months = list(sums.order_by("month"))
    price = period.credit_price or Decimal()
    lines = []
    for span in invoiced_spans(period, until):
        within = [row for row in months if span.since <= max(row[0], period.starts_at) < span.until]
        if total := sum(row[1] for row in within):
            late = sum(row[2] or 0 for row in within)
            lines.append(OnDemand(span.since, span.until, total, late, price))
    return lines
