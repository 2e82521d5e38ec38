"""The hours behind the credits of a span, and those of each day."""

import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple

from django.db.models import BigIntegerField, Count, F, Q, Sum
from django.db.models.functions import Cast, TruncDate

from credits.models import Entry
from credits.spans import Span
from usage.periods import DAY, beginning

SUMS = ("total", "on_demand", "late")


class DayInSpan(NamedTuple):
    """Of a UTC day: how many hours had ``credits`` that count in the span. ``late``: of them, those that were
    counted after the hour's own span was closed.
    """

    day: date
    hours: int
    credits: int
    on_demand: int
    late: int

    @property
    def average(self) -> Decimal:
        """Resources under management in these hours."""
        return Decimal(self.credits) / self.hours

    @property
    def from_grants(self) -> int:
        return self.credits - self.on_demand


class HourInSpan(NamedTuple):
    """Of an hour: as many credits as it had resources. ``later``: what was counted of it since, and is
    invoiced in a span after this one.
    """

    hour: datetime
    credits: int
    on_demand: int
    late: int
    later: int

    @property
    def clock(self) -> str:
        """When it begins, UTC."""
        return f"{self.hour.astimezone(UTC):%H:%M}"

    @property
    def from_grants(self) -> int:
        return self.credits - self.on_demand


def days_in(organization_id: uuid.UUID, span: Span) -> list[DayInSpan]:
    """Those with credits that count in the span, in order. One statement."""
    entries = Entry.objects.for_org(organization_id).filter(_within(span))
    days = entries.annotate(day=TruncDate("hour", tzinfo=UTC)).order_by().values("day")
    sums = days.annotate(hours=Count("hour", distinct=True), **_sums(Q())).order_by("day")
    return [DayInSpan(*row) for row in sums.values_list("day", "hours", *SUMS)]


def hours_in(organization_id: uuid.UUID, span: Span, day: date) -> list[HourInSpan]:
    """Those of a day that have credits in the span, or later ones. One statement."""
    hours = Q(hour__gte=beginning(day), hour__lt=beginning(day + DAY), booked_at__gte=span.since)
    entries = Entry.objects.for_org(organization_id).filter(hours)
    later = _sum(Q(booked_at__gte=span.until))
    sums = entries.order_by().values("hour").annotate(**_sums(_within(span)), later=later).order_by("hour")
    return [HourInSpan(*row) for row in sums.values_list("hour", *SUMS, "later")]


def _within(span: Span) -> Q:
    return Q(booked_at__gte=span.since, booked_at__lt=span.until)


def _sums(within: Q) -> dict[str, Cast]:
    return {
        "total": _sum(within),
        "on_demand": _sum(within & Q(grant=None)),
        "late": _sum(within & Q(booked_at__gt=F("hour"))),
    }


def _sum(of: Q) -> Cast:
    return Cast(Sum("credits", filter=of or None, default=0), BigIntegerField())
