"""Periods of credits, and the grants that come with them."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from credits.models import OF_PERIOD, Grant, GrantKind, Ledger, Period, Voiding

SECOND = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What an organization has now, over the span from ``since`` up to ``until``.

    ``credits``: how many a whole span brings, all of one kind; None: it isn't known, and nothing is counted
    before it is. ``credit_price``: US dollars for one on demand; None: the edition counts none.
    ``is_exact``: the span began at ``since``; else it is one of the calendar, which ends nothing that began
    before.
    """

    edition_code: str
    since: datetime
    until: datetime
    is_exact: bool
    credit_price: Decimal | None
    kind: GrantKind
    credits: int | None


def follow_terms(*, organization_id: uuid.UUID, terms: Terms) -> Period | None:
    """Begin the period that the terms say, with its grant. None: it has begun already.

    Terms that change within a period begin now. A period that begins before the last one was to end ends it,
    and voids what is left of the promotional credits that came with it: they don't roll over. Paid ones stay
    until they expire.
    """
    with transaction.atomic():
        ledger = Ledger.objects.locked(organization_id)
        latest = Period.objects.for_org(organization_id).order_by("starts_at").last()
        starts_at = _beginning(latest, terms)
        if terms.credits is None or starts_at is None or starts_at >= terms.until:
            return None
        period = Period.objects.create(
            organization_id=organization_id,
            edition_code=terms.edition_code,
            starts_at=starts_at,
            ends_at=terms.until,
            credit_price=terms.credit_price,
            credits=terms.credits,
        )
        _void_promotional(period)
        _grant(period, _credits_of(period, latest, terms), terms.kind)
        ledger.make_due()
    return period


def stop_counting(*, organization_id: uuid.UUID, edition_code: str) -> Period | None:
    """Count no credits for the rest of the period: the organization has an edition without any now."""
    with transaction.atomic():
        ledger = Ledger.objects.locked(organization_id)
        latest = Period.objects.for_org(organization_id).order_by("starts_at").last()
        now = timezone.now()
        if latest is None or latest.ends_at <= now or latest.credit_price is None:
            return None
        period = Period.objects.create(
            organization_id=organization_id, edition_code=edition_code, starts_at=now, ends_at=latest.ends_at
        )
        _void_promotional(period)
        ledger.make_due()
    return period


def _beginning(latest: Period | None, terms: Terms) -> datetime | None:
    if latest is None or (terms.is_exact and terms.since > latest.starts_at):
        return terms.since
    now = timezone.now()
    if latest.ends_at > now and _has_terms(latest, terms):
        return None
    return max(terms.since, min(latest.ends_at, now))


def _has_terms(period: Period, terms: Terms) -> bool:
    """Whether it goes on as it is. What an edition gives for free changes with the next period only."""
    is_bought = terms.kind is GrantKind.PAID
    return period.edition_code == terms.edition_code and not (is_bought and period.credits != terms.credits)


def _credits_of(period: Period, latest: Period | None, terms: Terms) -> int:
    """Paid credits that begin within a span are those that Stripe's proration charges: more than before, and
    only for the time that is left. https://docs.stripe.com/billing/subscriptions/prorations
    """
    if terms.kind is GrantKind.PROMOTIONAL or period.starts_at == terms.since:
        return period.credits
    if latest is None or latest.ends_at <= period.starts_at:
        return period.credits
    more = max(0, period.credits - latest.credits)
    return more * ((terms.until - period.starts_at) // SECOND) // ((terms.until - terms.since) // SECOND)


def _void_promotional(period: Period) -> None:
    running = Grant.objects.for_org(period.organization_id).filter(
        kind=GrantKind.PROMOTIONAL,
        source__startswith=OF_PERIOD,
        expires_at__gt=period.starts_at,
        voiding=None,
    )
    Voiding.objects.bulk_create(
        Voiding(organization_id=period.organization_id, grant=grant, voided_at=period.starts_at)
        for grant in running
    )


def _grant(period: Period, amount: int, kind: GrantKind) -> None:
    if amount:
        Grant.objects.create(
            organization_id=period.organization_id,
            kind=kind,
            credits=amount,
            effective_at=period.starts_at,
            expires_at=period.ends_at,
            source=f"{OF_PERIOD}{period.starts_at.isoformat()}",
        )
