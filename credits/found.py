"""All that the figures of a period are made of, read in one statement: *Billing & usage* has few."""

import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    BigIntegerField,
    DateField,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    TextField,
)
from django.db.models.functions import Cast, Coalesce, JSONObject, Least

from credits.burning import Pool
from credits.models import Entry, Grant, GrantKind, Ledger, Period
from orgs.compiled import compiled
from orgs.models import Organization
from usage.models import OrganizationDay
from usage.periods import HOUR
from usage.projections import RANGE_DAYS
from usage.selectors import with_latest_hour
from usage.sums import CountedDay


class FoundGrant(NamedTuple):
    """``before``: what was burnt of it in earlier periods."""

    id: uuid.UUID
    kind: GrantKind
    source: str
    priority: int
    credits: int
    effective_at: datetime
    expires_at: datetime
    voided_at: datetime | None
    before: int

    def pool(self, left: int) -> Pool:
        """What can be burnt of it, where so many are left."""
        return Pool(
            grant_id=self.id,
            promotional=self.kind is GrantKind.PROMOTIONAL,
            priority=self.priority,
            effective_at=self.effective_at,
            expires_at=self.expires_at,
            ends_at=min(filter(None, (self.expires_at, self.voided_at))),
            left=left,
        )


class BookedDay(NamedTuple):
    """Credits that count on a UTC day, of one grant or, without one, on demand. ``late``: of them, those of
    hours before the span in which they count.
    """

    day: date
    grant: uuid.UUID | None
    credits: int
    late: int


class PeriodBefore(NamedTuple):
    """The period before in which credits were counted, and how many it used."""

    since: datetime
    until: datetime
    credits: int

    @property
    def hourly(self) -> Decimal:
        return Decimal(self.credits) / max(1, (self.until - self.since) // HOUR)


class FoundPeriod(NamedTuple):
    """``until``: when it really ends. ``following``: when the next one begins that counts credits."""

    terms: Period
    until: datetime
    following: datetime | None
    before: PeriodBefore | None
    settled_until: datetime | None
    closed_until: datetime | None
    grants: list[FoundGrant]
    booked: list[BookedDay]


class Found(NamedTuple):
    """``resources``: in the last ``hour`` that was counted. ``recent``: the last days, latest first."""

    resources: int | None
    hour: datetime | None
    recent: list[dict[str, Any]]
    period: dict[str, Any] | None

    @property
    def days(self) -> list[CountedDay]:
        return [CountedDay(**{**row, "day": date.fromisoformat(row["day"])}) for row in self.recent]


@compiled(Found)
def found_at(organization: uuid.UUID, at: datetime) -> QuerySet[Organization, Any]:
    """The latest period that began at an instant or before it, whether or not it has ended by then."""
    days = OrganizationDay.objects.filter(organization=organization).order_by("-day")
    recent = days.values(
        row=JSONObject(day="day", resource_hours="resource_hours", hours_counted="hours_counted")
    )
    found = with_latest_hour(organization).annotate(
        recent=ArraySubquery(recent[: RANGE_DAYS + 1]), period=Subquery(_period(organization, at))
    )
    return found.values_list(*Found._fields)


def _period(organization: uuid.UUID, at: datetime) -> QuerySet[Period, Any]:
    periods = _with_end(Period.objects.for_org(organization))
    counting = periods.filter(credit_price__isnull=False)
    earlier = counting.filter(starts_at__lt=OuterRef("starts_at")).order_by("-starts_at")
    later = counting.filter(starts_at__gt=OuterRef("starts_at")).order_by("starts_at")
    begun = periods.filter(starts_at__lte=at).order_by("-starts_at")
    entries = Entry.objects.for_org(organization).filter(booked_at__gte=OuterRef("starts_at"))
    before = entries.filter(booked_at__lt=OuterRef("until"))
    ledger = Ledger.objects.filter(organization=organization)
    return begun.values(
        found=JSONObject(
            edition_code="edition_code",
            starts_at="starts_at",
            ends_at="ends_at",
            # As text, since a number of JSON is read as a float.
            credit_price=Cast("credit_price", TextField()),
            until="until",
            following=Subquery(later.values("starts_at")[:1]),
            before=Subquery(
                earlier.values(
                    before=JSONObject(since="starts_at", until="until", credits=_total_of(before))
                )[:1]
            ),
            settled_until=Subquery(ledger.values("settled_until")),
            closed_until=Subquery(ledger.values("closed_until")),
            grants=ArraySubquery(_grants(organization)),
            booked=ArraySubquery(_booked(organization)),
        )
    )[:1]


def _with_end(periods: QuerySet[Period]) -> QuerySet[Period]:
    """Each with ``until``: the next one may begin before it was to end."""
    following = Period.objects.filter(
        organization=OuterRef("organization"), starts_at__gt=OuterRef("starts_at")
    ).order_by("starts_at")
    return periods.annotate(until=Least("ends_at", Subquery(following.values("starts_at")[:1])))


def _grants(organization: uuid.UUID) -> QuerySet[Grant, Any]:
    """Those that a period can use."""
    entries = Entry.objects.for_org(organization).filter(
        grant=OuterRef("pk"),
        # Nothing is burnt of it earlier; so of what comes with the period itself no entry is looked at.
        booked_at__gte=OuterRef("effective_at"),
        booked_at__lt=OuterRef(OuterRef("starts_at")),
    )
    usable = Grant.objects.for_org(organization).filter(
        Q(voiding=None) | Q(voiding__voided_at__gt=OuterRef("starts_at")),
        effective_at__lt=OuterRef("until"),
        expires_at__gt=OuterRef("starts_at"),
    )
    return usable.values(
        found=JSONObject(
            id="id",
            kind="kind",
            source="source",
            priority="priority",
            credits="credits",
            effective_at="effective_at",
            expires_at="expires_at",
            voided_at="voiding__voided_at",
            before=_total_of(entries),
        )
    )


def _booked(organization: uuid.UUID) -> QuerySet[Entry, Any]:
    entries = Entry.objects.for_org(organization).filter(
        booked_at__gte=OuterRef("starts_at"), booked_at__lt=OuterRef("until")
    )
    by_day = entries.annotate(day=_utc_day("booked_at")).order_by().values("day", "grant")
    late = Sum("credits", filter=Q(booked_at__gt=F("hour")), default=0)
    sums = by_day.annotate(total=Sum("credits"), late=late)
    whole = {name: Cast(name, BigIntegerField()) for name in ("total", "late")}
    row = JSONObject(day="day", grant="grant", credits=whole["total"], late=whole["late"])
    return sums.annotate(row=row).values("row")


def _utc_day(name: str) -> Func:
    """As ``TruncDate`` has it, but without a parameter, which Postgres can't group by."""
    return Func(name, template="(%(expressions)s AT TIME ZONE 'UTC')::date", output_field=DateField())


def _total_of(entries: QuerySet[Entry]) -> Coalesce:
    sums = entries.order_by().values("organization").annotate(total=Sum("credits")).values("total")
    return Coalesce(Subquery(sums, output_field=BigIntegerField()), 0)


def period_in(found: Mapping[str, Any]) -> FoundPeriod:
    """From what the statement gives of a period."""
    price = found["credit_price"]
    before = found["before"]
    return FoundPeriod(
        terms=Period(
            edition_code=found["edition_code"],
            starts_at=_instant(found["starts_at"]),
            ends_at=_instant(found["ends_at"]),
            credit_price=Decimal(price) if price is not None else None,
        ),
        until=_instant(found["until"]),
        following=_instant_or_none(found["following"]),
        before=PeriodBefore(_instant(before["since"]), _instant(before["until"]), before["credits"])
        if before
        else None,
        settled_until=_instant_or_none(found["settled_until"]),
        closed_until=_instant_or_none(found["closed_until"]),
        grants=[_grant(row) for row in found["grants"]],
        booked=[_booked_day(row) for row in found["booked"]],
    )


def _grant(row: Mapping[str, Any]) -> FoundGrant:
    return FoundGrant(
        **{
            **row,
            "id": uuid.UUID(row["id"]),
            "kind": GrantKind(row["kind"]),
            "effective_at": _instant(row["effective_at"]),
            "expires_at": _instant(row["expires_at"]),
            "voided_at": _instant_or_none(row["voided_at"]),
        }
    )


def _booked_day(row: Mapping[str, Any]) -> BookedDay:
    grant = uuid.UUID(row["grant"]) if row["grant"] else None
    return BookedDay(date.fromisoformat(row["day"]), grant, row["credits"], row["late"])


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _instant_or_none(text: str | None) -> datetime | None:
    return _instant(text) if text else None
