"""Credits as the ledger counts them, day by day (UTC): those that grants covered, and those on demand."""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Func, JSONField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import TruncDay, TruncMonth

from billing.focus.items import on_demand_since
from billing.focus.months import month_of
from billing.models import Invoice
from credits.models import Entry, Period
from credits.spans import LONGEST, invoiced_spans


@dataclass(frozen=True)
class UsageDay:
    """Of the hours of a UTC day, what was booked together. ``credits`` below zero were taken back.

    ``month``: in which it was booked. ``covered_by``: the kind of the grant; empty: on demand.
    ``span_since``: where the span begins whose credits on demand are invoiced together. ``price``: of one
    of these, in US dollars.
    """

    day: date
    month: date
    span_since: datetime
    covered_by: str
    credits: int
    edition_code: str
    price: Decimal

    @property
    def is_late(self) -> bool:
        """Whether it was counted after its month was closed, and stands in a later one."""
        return month_of(self.day) < self.month


class _Sums(NamedTuple):
    day: datetime
    month: datetime
    period: uuid.UUID
    covered_by: str | None
    credits: int


def usage_days(organization_id: uuid.UUID, since: datetime, until: datetime) -> list[UsageDay]:
    """What was booked from ``since`` up to ``until``, earliest day first. Two statements."""
    rows = [_Sums(*row) for row in _sums(organization_id, since, until)]
    periods = Period.objects.for_org(organization_id).in_bulk({row.period for row in rows})
    return [_day(row, periods[row.period]) for row in rows if row.credits]


def days_on_demand(organization_id: uuid.UUID, spans_since: Collection[datetime]) -> list[UsageDay]:
    """The credits on demand of the spans that begin so."""
    if not spans_since:
        return []
    days = usage_days(organization_id, min(spans_since), max(spans_since) + LONGEST)
    return on_demand_of(days, spans_since)


def on_demand_of(days: Iterable[UsageDay], spans_since: Collection[datetime]) -> list[UsageDay]:
    return [one for one in days if not one.covered_by and one.span_since in spans_since]


def _sums(organization_id: uuid.UUID, since: datetime, until: datetime) -> QuerySet[Entry, Any]:
    begun = Period.objects.for_org(organization_id).filter(starts_at__lte=OuterRef("booked_at"))
    entries = Entry.objects.for_org(organization_id).filter(booked_at__gte=since, booked_at__lt=until)
    return (
        entries.annotate(
            day=TruncDay("hour", tzinfo=UTC),
            month=TruncMonth("booked_at", tzinfo=UTC),
            period=Subquery(begun.order_by("-starts_at").values("pk")[:1]),
        )
        .values_list("day", "month", "period", "grant__kind")
        .annotate(total=Sum("credits"))
        .order_by("day", "month", "period", "grant__kind")
    )


def _day(row: _Sums, period: Period) -> UsageDay:
    booked_at = max(row.month, period.starts_at)
    spans = invoiced_spans(period, period.ends_at)
    return UsageDay(
        day=row.day.date(),
        month=row.month.date(),
        span_since=max(span.since for span in spans if span.since <= booked_at),
        covered_by=row.covered_by or "",
        credits=row.credits,
        edition_code=period.edition_code,
        price=period.credit_price or Decimal(),
    )


class _OnDemandLines(Func):
    """The lines of an invoice that charge credits on demand."""

    template = "jsonb_path_query_array(%(expressions)s, '$.lines[*] ? (@.credits_since like_regex \".\")')"
    output_field = JSONField()


def invoiced_since(organization_id: uuid.UUID, issued_since: datetime) -> set[datetime]:
    """Where the spans begin whose credits on demand stand on an invoice, issued since then. One statement."""
    issued = Invoice.objects.for_org(organization_id).issued().filter(issued_at__gte=issued_since)
    lines = issued.annotate(on_demand=_OnDemandLines("document")).values_list("on_demand", flat=True)
    begins = (on_demand_since(line) for of_invoice in lines.order_by() for line in of_invoice)
    return {begin for begin in begins if begin is not None}
