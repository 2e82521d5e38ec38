"""A period of credits from its hours to the cent."""

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import NamedTuple

from billing.models import Invoice
from credits.figures import PeriodCredits, SpanCredits
from credits.hours import DayInSpan, HourInSpan, days_in, hours_in
from credits.selectors import latest_credits, period_credits
from credits.spans import Span
from orgs.dates import instant_in
from orgs.editions import UnknownEditionError, edition_name
from orgs.models import Organization


class InvoicedOn(NamedTuple):
    """The invoice on which a span is billed. Which span a line bills, it says itself: ``credits_since``."""

    id: uuid.UUID
    number: str


@dataclass(frozen=True)
class SpanRow:
    """``is_chosen``: its days are shown. ``query``: what asks for them."""

    span: SpanCredits
    invoice: InvoicedOn | None
    is_chosen: bool

    @property
    def query(self) -> str:
        return query_for(self.span.since)


@dataclass(frozen=True)
class CreditsPage:
    """``days``: of the ``chosen`` span. ``hours``: those of the day that is ``opened``."""

    period: PeriodCredits
    spans: list[SpanRow]
    chosen: SpanRow
    days: list[DayInSpan]
    opened: date | None
    hours: list[HourInSpan]

    @property
    def edition(self) -> str:
        try:
            return edition_name(self.period.edition_code)
        except UnknownEditionError:
            return self.period.edition_code

    @property
    def earlier(self) -> str:
        """What asks for the period before; empty where there is none."""
        return query_for(self.period.before.since) if self.period.before else ""

    @property
    def later(self) -> str:
        return query_for(self.period.following) if self.period.following else ""


class NoPeriodError(LookupError):
    """No credits were counted at that time."""


def credits_page(
    organization: Organization, *, at: datetime | None = None, opened: date | None = None
) -> CreditsPage | None:
    """The span in which ``at`` lies, else the latest one. Five statements at most.

    None: nothing is counted yet. Raises NoPeriodError.
    """
    period = period_credits(organization.pk, at=at) if at else latest_credits(organization.pk)
    if period is None:
        if at:
            raise NoPeriodError
        return None
    span = max((one for one in period.spans if at is None or one.since <= at), key=lambda one: one.since)
    bounds = Span(span.since, span.until)
    days = days_in(organization.pk, bounds)
    is_there = opened is not None and any(day.day == opened for day in days)
    invoices = _invoices(organization, period)
    rows = [SpanRow(one, invoices.get(one.since), is_chosen=one is span) for one in period.spans]
    return CreditsPage(
        period=period,
        spans=rows,
        chosen=next(row for row in rows if row.is_chosen),
        days=days,
        opened=opened if is_there else None,
        hours=hours_in(organization.pk, bounds, opened) if opened and is_there else [],
    )


def query_for(at: datetime) -> str:
    return f"since={at.astimezone(UTC).isoformat().removesuffix('+00:00')}Z"


def _invoices(organization: Organization, period: PeriodCredits) -> dict[datetime, InvoicedOn]:
    """By the beginning of the span that they bill."""
    issued = Invoice.objects.for_org(organization).issued().filter(created_at__gte=period.since)
    found = issued.values_list("pk", "number", "document__lines")
    return {
        since: InvoicedOn(pk, number)
        for pk, number, lines in found
        for line in lines
        if (since := instant_in(line.get("credits_since")))
    }
