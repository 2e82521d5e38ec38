"""All that is saved to pay with, as Stripe lists it for the customer."""

from collections.abc import Iterable
from typing import Any

from audit.services import Actor, record
from billing.actions import CARD_RENEWED
from billing.gateway import records
from billing.mirror.rows import is_news
from billing.models import BillingAccount, PaymentMethod


def write_methods(account: BillingAccount, fetched: Iterable[records.PaymentMethod]) -> bool:
    """Write down all of them under the account's own number. Whether any row was missing or wrong."""
    rows = {row.stripe_id: row for row in PaymentMethod.objects.for_org(account.organization_id)}
    changed = [_write_method(account, rows.pop(one.id, None), one) for one in fetched]
    if rows:
        PaymentMethod.objects.filter(pk__in=[row.pk for row in rows.values()]).delete()
    return any(changed) or bool(rows)


def _write_method(account: BillingAccount, row: PaymentMethod | None, fetched: records.PaymentMethod) -> bool:
    values = _values_of(fetched)
    if row is None:
        PaymentMethod.objects.create(organization_id=account.organization_id, stripe_id=fetched.id, **values)
        return True
    if all(getattr(row, name) == value for name, value in values.items()):
        return False
    for name, value in values.items():
        setattr(row, name, value)
    # Another card, or another date: people are to be warned of it anew.
    row.warned_days = None
    row.save()
    if is_news(account) and row.exp_year:
        _tell_of_renewal(account, row)
    return True


def _values_of(fetched: records.PaymentMethod) -> dict[str, Any]:
    return {
        "kind": fetched.kind[:50],
        "brand": fetched.brand[:50],
        "last4": fetched.last4[-4:],
        "exp_month": fetched.exp_month,
        "exp_year": fetched.exp_year,
        "created_at": fetched.created,
    }


def _tell_of_renewal(account: BillingAccount, row: PaymentMethod) -> None:
    """A card's number or date changes with no act here: the bank renewed it, or staff did at Stripe.

    https://docs.stripe.com/payments/cards/overview#automatic-card-updates
    """
    record(
        CARD_RENEWED,
        actor=Actor.stripe(),
        organization=account.organization,
        target=(row.pk, ""),
        method=row.codes,
        until={"month": row.exp_month or 0, "year": row.exp_year or 0},
    )
