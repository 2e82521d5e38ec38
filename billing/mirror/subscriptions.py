"""Subscriptions: written down as Stripe has them, and told of when their terms change."""

from collections.abc import Sequence

from audit.services import Actor, record
from billing import gateway
from billing.actions import SUBSCRIPTION_CHANGED
from billing.gateway import records
from billing.mirror.rows import differs, is_late, is_news, locked_account, next_fetch_number, save, values_of
from billing.models import BillingAccount, Subscription


def sync_subscription(account: BillingAccount, subscription_id: str) -> bool:
    """Fetch a subscription anew and write it down. Raises GatewayUnavailable and GatewayRefused."""
    number = next_fetch_number()
    fetched = gateway.subscription(subscription_id)
    with locked_account(account) as current:
        if current is None or fetched.customer_id != current.stripe_customer_id:
            return False
        return write_subscriptions(current, [fetched], number) > 0


def write_subscriptions(account: BillingAccount, fetched: Sequence[records.Subscription], number: int) -> int:
    found = Subscription.objects.filter(stripe_id__in=[one.id for one in fetched])
    rows = {row.stripe_id: row for row in found}
    return sum(_write_subscription(account, rows.get(one.id), one, number) for one in fetched)


def _write_subscription(
    account: BillingAccount, row: Subscription | None, fetched: records.Subscription, number: int
) -> bool:
    if row is not None and is_late(account, row, number):
        return False
    values = values_of(fetched)
    before = _terms(row) if row else None
    changed = row is None or differs(row, values)
    if row is None:
        row = Subscription(organization_id=account.organization_id, stripe_id=fetched.id)
    save(account, row, values, number, changed=changed)
    if before != _terms(row) and is_news(account):
        record(
            SUBSCRIPTION_CHANGED,
            actor=Actor.stripe(),
            organization=account.organization,
            target=(row.pk, row.stripe_id),
            status=row.status,
        )
    return changed


def _terms(subscription: Subscription) -> tuple[object, ...]:
    """What of a subscription people would call a change; a new period isn't."""
    return (
        subscription.status,
        subscription.cancel_at,
        subscription.cancel_at_period_end,
        [(item["price_id"], item["quantity"]) for item in subscription.items],
    )
