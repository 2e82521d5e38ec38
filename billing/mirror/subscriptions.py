"""Subscriptions and what each charges next, as Stripe says; a change of their terms is told of."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict

import structlog
from django.utils import timezone

from audit.registry import Action
from audit.services import Actor, record
from billing import gateway
from billing.actions import COLLECTION_PAUSED, COLLECTION_RESUMED, SUBSCRIPTION_CHANGED
from billing.credit_periods import let_credits_follow
from billing.gateway import records
from billing.mirror.rows import (
    assign,
    differs,
    is_late,
    is_news,
    locked_account,
    next_fetch_number,
    save,
    values_of,
)
from billing.models import ENDED, NOT_IN_FORCE, BillingAccount, Subscription
from billing.plans import plan_of
from orgs.editions import STARTING_EDITION
from orgs.terms import follow_subscription

logger = structlog.get_logger(__name__)


def sync_subscriptions(account: BillingAccount) -> int:
    """Fetch the customer's subscriptions anew, with what each charges next, and write them down.

    Whatever happens to a customer may change what comes next. Raises GatewayUnavailable and GatewayRefused.
    """
    number = next_fetch_number()
    listed = gateway.subscriptions(str(account.stripe_customer_id))
    previews = previews_of(listed.all)
    with locked_account(account) as current:
        if current is None:
            return 0
        return write_subscriptions(current, listed, previews, number)


def previews_of(subscriptions: Iterable[records.Subscription]) -> dict[str, records.Preview]:
    """What Stripe charges next, by the subscription's id. Raises GatewayUnavailable.

    Stripe expects no invoice of one that has ended, or has not begun.
    """
    return {one.id: gateway.preview(one.id) for one in subscriptions if one.status not in NOT_IN_FORCE}


def write_subscriptions(
    account: BillingAccount,
    listed: gateway.Listed[records.Subscription],
    previews: Mapping[str, records.Preview],
    number: int,
) -> int:
    """Write down all that Stripe lists for the customer; what it lists no longer has ended."""
    rows = {row.stripe_id: row for row in Subscription.objects.for_org(account.organization_id)}
    changed = sum(_write_subscription(account, rows, one, previews.get(one.id), number) for one in listed.all)
    here = {one.id for one in listed.all} | listed.unreadable.keys()
    gone = [row for row in rows.values() if row.stripe_id not in here]
    changed += end_subscriptions(account, gone, number)
    let_terms_follow(account, rows.values())
    let_credits_follow(account.organization, rows.values(), changed=changed > 0)
    return changed


def _write_subscription(
    account: BillingAccount,
    rows: dict[str, Subscription],
    fetched: records.Subscription,
    preview: records.Preview | None,
    number: int,
) -> bool:
    row = rows.get(fetched.id)
    if row is not None and is_late(account, row, number):
        return False
    values = values_of(fetched)
    before = _terms(row) if row else None
    was_paused = bool(row and row.pause_behavior)
    changed = row is None or differs(row, values)
    if row is None:
        row = rows[fetched.id] = Subscription(organization_id=account.organization_id, stripe_id=fetched.id)
    # What comes next grows with every hour of use: that it differs is no drift.
    shown = {"preview": asdict(preview) if preview else None}
    write = changed or differs(row, shown)
    values |= {**shown, "previewed_at": timezone.now() if preview else None}
    save(account, row, values, number, changed=write)
    if before != _terms(row):
        _announce(account, row, SUBSCRIPTION_CHANGED, status=row.status)
    if was_paused != bool(row.pause_behavior):
        _announce(account, row, COLLECTION_RESUMED if was_paused else COLLECTION_PAUSED)
    return changed


def end_subscriptions(account: BillingAccount, rows: Iterable[Subscription], number: int) -> int:
    """Those that Stripe no longer has, such as a deleted customer's, have ended. How many there were."""
    ended = [row for row in rows if row.status not in ENDED and not is_late(account, row, number)]
    for row in ended:
        assign(row, {"status": "canceled", "ended_at": timezone.now(), "preview": None}, number)
        row.save()
        _announce(account, row, SUBSCRIPTION_CHANGED, status=row.status)
    return len(ended)


def let_terms_follow(account: BillingAccount, subscriptions: Iterable[Subscription]) -> None:
    """Give the organization the edition and the seats of what it subscribes to, here or at Stripe.

    A price that no edition knows changes nothing. Without any that goes on, the starting edition; an
    organization that never had one, or to which support gave more time to pay, keeps what it has.
    """
    organization, rows = account.organization, list(subscriptions)
    plan = plan_of(rows)
    if plan is not None:
        follow_subscription(organization, edition_code=plan.edition.code, seats=plan.quantity or None)
    elif rows and all(row.status in NOT_IN_FORCE for row in rows) and not account.has_grace:
        follow_subscription(organization, edition_code=STARTING_EDITION, seats=None)


def _announce(account: BillingAccount, row: Subscription, action: Action, **facts: str) -> None:
    if is_news(account):
        record(
            action,
            actor=Actor.stripe(),
            organization=account.organization,
            target=(row.pk, row.stripe_id),
            **facts,
        )


def _terms(subscription: Subscription) -> tuple[object, ...]:
    """What of a subscription people would call a change; a new period isn't."""
    return (
        subscription.status,
        subscription.cancel_at,
        subscription.cancel_at_period_end,
        [(item["price_id"], item["quantity"]) for item in subscription.items],
    )
