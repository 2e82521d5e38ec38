"""Periods of credits follow the subscription, and each hour is settled.

Whatever writes subscriptions lets them follow at once. The sweep does so again: months without a subscription
begin by themselves, and what was missed is made good.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

import structlog
from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Least, Now
from django.utils import timezone

from billing.models import NOT_IN_FORCE, Subscription
from billing.operations.limits import check_limits
from billing.selectors.credits import credit_span
from credits.models import GrantKind, Ledger, Period
from credits.services.periods import Terms, follow_terms, stop_counting
from credits.services.settling import settle
from orgs.editions import Edition
from orgs.models import Organization

logger = structlog.get_logger(__name__)

LATEST = datetime.max.replace(tzinfo=UTC)


def let_credits_follow(organization: Organization, subscriptions: Iterable[Subscription]) -> None:
    """Begin the period of credits that has begun by the subscriptions, with its grant.

    Call it with the organization locked. What is so already changes nothing.
    """
    if organization.closed_at is not None:
        return
    in_force = [one for one in subscriptions if one.status not in NOT_IN_FORCE]
    in_force.sort(key=lambda one: (one.period_end or LATEST, one.created_at, one.pk))
    terms = _terms_of(organization.edition, in_force)
    if terms is None:
        stop_counting(organization_id=organization.pk, edition_code=organization.edition_code)
        return
    if terms.credits is None:
        logger.warning("prepaid_credits_unknown", organization=organization.slug)
    follow_terms(organization_id=organization.pk, terms=terms)


def _terms_of(edition: Edition, subscriptions: list[Subscription]) -> Terms | None:
    """None: the edition counts no credits, or it isn't known over which span."""
    span = credit_span(edition, subscriptions)
    if span is None or edition.credit_price is None:
        return None
    return Terms(
        edition_code=edition.code,
        since=span.since,
        until=span.until or _next_month(span.since),
        is_exact=span.until is not None,
        credit_price=edition.credit_price,
        kind=GrantKind.PAID if edition.prepaid else GrantKind.PROMOTIONAL,
        credits=_prepaid_credits(edition, subscriptions) if edition.prepaid else edition.free_credits,
    )


def _prepaid_credits(edition: Edition, subscriptions: list[Subscription]) -> int | None:
    """None: no price says how many credits it includes."""
    items = (item for one in subscriptions for item in one.items)
    carrying = [item for item in items if item["lookup_key"] == edition.price_lookup_key]
    return sum(item.get("credits", 0) * item["quantity"] for item in carrying) or None


def _next_month(first: datetime) -> datetime:
    month = first.year * 12 + first.month
    return first.replace(year=month // 12, month=month % 12 + 1)


def settle_due_ledgers(*, seconds: float) -> None:
    """Settle what is due, the longest overdue first, beginning none after ``seconds``.

    Safe to run anywhere, any number of times at once, and to be killed at any line.
    """
    Ledger.objects.begin_missing()
    for ledger_id in Ledger.objects.sweep(seconds=seconds):
        ledger = Ledger.objects.due().lease(ledger_id)
        if ledger is not None:
            with ledger.attempt():
                _bring_up_to_date(ledger)


def _bring_up_to_date(ledger: Ledger) -> None:
    with transaction.atomic():
        organization = Organization.objects.locked(ledger.organization_id)
        let_credits_follow(organization, Subscription.objects.for_org(organization).current())
    settle(organization_id=ledger.organization_id, until=timezone.now())
    with transaction.atomic():
        check_limits(Organization.objects.locked(ledger.organization_id))
    ledger.release(next_attempt_at=_next_settling(), attempts=0)


def _next_settling() -> Least:
    """Within the hour; at the end of the period, since the next one has limits of its own."""
    running = Period.objects.filter(organization=OuterRef("organization"), ends_at__gt=Now())
    return Least(Now() + Ledger.EVERY, Subquery(running.order_by("ends_at").values("ends_at")[:1]))
