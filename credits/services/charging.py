"""What closed spans cost: of each that consumed credits on demand, a charge."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db.models import Sum

from credits.models import Entry, OnDemandCharge, Period
from credits.spans import Span, all_spans
from orgs.currencies import in_minor_units
from orgs.editions import CREDIT_CURRENCY


def charge_closed_spans(
    organization_id: uuid.UUID, periods: Sequence[Period], *, since: datetime, until: datetime
) -> None:
    """Note what the spans from ``since`` up to ``until`` cost, in the transaction that closes them."""
    for period, span in all_spans(periods):
        is_closed = since <= span.since and span.until <= until
        if is_closed and (amount := _on_demand(organization_id, span)):
            _charge(period, span, amount)


def _on_demand(organization_id: uuid.UUID, span: Span) -> int:
    entries = Entry.objects.for_org(organization_id).filter(grant=None)
    within = entries.filter(booked_at__gte=span.since, booked_at__lt=span.until)
    return within.aggregate(total=Sum("credits"))["total"] or 0


def _charge(period: Period, span: Span, amount: int) -> None:
    # Where no credits are counted, none are on demand.
    if period.credit_price is not None:
        OnDemandCharge.objects.create(
            organization_id=period.organization_id,
            since=span.since,
            until=span.until,
            credits=amount,
            price=period.credit_price,
            amount=in_minor_units(amount * period.credit_price, CREDIT_CURRENCY),
        )
