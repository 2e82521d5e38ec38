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
from billing.on_demand import let_charges_be_invoiced
from billing.operations.limits import check_limits
from credits.models import GrantKind, Ledger, Period
from credits.services.periods import Terms, follow_terms, stop_counting
from credits.services.settling import settle
from credits.spans import Span
from orgs.editions import Edition, Pricing
from orgs.models import Organization

logger = structlog.get_logger(__name__)

LATEST = datetime.max.replace(tzinfo=UTC)


def let_credits_follow(
    organization: Organization, subscriptions: Iterable[Subscription], *, changed: bool = False
) -> None:
    """Begin the period of credits that has begun by the subscriptions, with its grant.

    Call it with the organization locked. What is so already changes nothing. ``changed``: the subscriptions
    are news, so that what is wrong with them is logged, once.
    """
    if organization.closed_at is not None:
        return
    in_force = [one for one in subscriptions if one.status not in NOT_IN_FORCE]
    in_force.sort(key=lambda one: (one.period_end or LATEST, one.created_at, one.pk))
    terms = _terms_of(organization.edition, in_force)
    if terms is None:
        stop_counting(organization_id=organization.pk, edition_code=organization.edition_code)
        return
    if terms.credits is None and changed:
        logger.warning("prepaid_credits_unknown", organization=organization.slug)
    follow_terms(organization_id=organization.pk, terms=terms)


def _terms_of(edition: Edition, subscriptions: list[Subscription]) -> Terms | None:
    """None: the edition counts no credits, or it isn't known over which span."""
    by_use = edition.pricing is Pricing.USAGE
    span = _billed_span(edition, subscriptions)
    known = span or (_this_month() if by_use else None)
    if known is None or edition.credit_price is None:
        return None
    return Terms(
        edition_code=edition.code,
        since=known.since,
        until=known.until,
        is_exact=span is not None,
        credit_price=edition.credit_price,
        kind=GrantKind.PROMOTIONAL if by_use else GrantKind.PAID,
        credits=edition.free_credits if by_use else _prepaid_credits(edition, subscriptions),
    )


def _billed_span(edition: Edition, subscriptions: list[Subscription]) -> Span | None:
    """The period of the subscription that carries the edition's price, else of any that has one."""
    key = edition.price_lookup_key
    carrying = [one for one in subscriptions if any(item["lookup_key"] == key for item in one.items)]
    for subscription in [*carrying, *subscriptions]:
        if subscription.period_start is not None and subscription.period_end is not None:
            return Span(subscription.period_start, subscription.period_end)
    return None


def _this_month() -> Span:
    first = timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return Span(first, _next_month(first))


def _prepaid_credits(edition: Edition, subscriptions: list[Subscription]) -> int | None:
    """None: no price says how many credits it includes."""
    items = (item for one in subscriptions for item in one.items)
    carrying = [item for item in items if item["lookup_key"] == edition.price_lookup_key]
    return sum(item.get("credits", 0) * item["quantity"] for item in carrying) or None


def _next_month(first: datetime) -> datetime:
    month = first.year * 12 + first.month
    return first.replace(year=month // 12, month=month % 12 + 1)


def settle_due_ledgers(*, seconds: float, part: int = 0, of: int = 1) -> None:
    """Settle what is due, the longest overdue first, beginning none after ``seconds``.

    ``part``: of ``of`` parts only this one. Safe to run anywhere, any number of times at once, and to be
    killed at any line.
    """
    Ledger.objects.begin_missing()
    for ledger_id in Ledger.objects.part(part, of).sweep(seconds=seconds):
        ledger = Ledger.objects.due().lease(ledger_id)
        if ledger is not None:
            with ledger.attempt():
                _bring_up_to_date(ledger)


def _bring_up_to_date(ledger: Ledger) -> None:
    with transaction.atomic():
        organization = Organization.objects.locked(ledger.organization_id)
        # What was closed an hour ago. It locks the billing account, which comes before the ledger.
        let_charges_be_invoiced(organization)
        let_credits_follow(organization, Subscription.objects.for_org(organization).current())
    settle(organization_id=ledger.organization_id, until=timezone.now())
    with transaction.atomic():
        check_limits(Organization.objects.locked(ledger.organization_id))
        # While the ledger is locked, so that what makes it due from now on isn't put off.
        ledger.release(next_attempt_at=_next_settling(), attempts=0)


def _next_settling() -> Least:
    """Within the hour; at the end of the period, since the next one has limits of its own."""
    running = Period.objects.filter(organization=OuterRef("organization"), ends_at__gt=Now())
    return Least(Now() + Ledger.EVERY, Subquery(running.order_by("ends_at").values("ends_at")[:1]))
