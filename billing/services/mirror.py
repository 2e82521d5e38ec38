"""Writing down what Stripe says, and telling people of what really changed.

Call these with the billing account locked. Each returns whether the mirror was wrong before. A fetch with
an earlier number than the one that the row was written from changes nothing.
"""

from dataclasses import asdict
from typing import Any

from django.utils import timezone

from audit.services import Actor, record
from billing.gateway import records
from billing.models import BillingAccount, Invoice, InvoiceStatus, Subscription
from billing.money import format_money
from billing.notices import tell_of_failed_payment


def write_customer(account: BillingAccount, fetched: records.Customer, number: int) -> bool:
    """The customer's name, mail and default payment method; a deleted customer keeps his invoices only."""
    if number <= account.fetched_seq:
        return False
    method = fetched.default_payment_method
    values: dict[str, Any] = {
        "customer_deleted": fetched.deleted,
        "name": fetched.name[:300],
        "email": fetched.email[:512],
        "payment_method_id": method.id if method else "",
        "payment_method_kind": method.kind if method else "",
        "card_brand": method.brand[:50] if method else "",
        "card_last4": method.last4 if method else "",
        "card_exp_month": method.exp_month if method else None,
        "card_exp_year": method.exp_year if method else None,
    }
    changed = _differs(account, values)
    _assign(account, values, number)
    account.save()
    return changed


def write_subscription(account: BillingAccount, fetched: records.Subscription, number: int) -> bool:
    row = Subscription.objects.filter(stripe_id=fetched.id).first()
    if row is not None and (number <= row.fetched_seq or row.organization_id != account.organization_id):
        return False
    values: dict[str, Any] = {
        "status": fetched.status,
        "currency": fetched.currency,
        "items": [asdict(item) for item in fetched.items],
        "period_start": fetched.period_start,
        "period_end": fetched.period_end,
        "cancel_at": fetched.cancel_at,
        "cancel_at_period_end": fetched.cancel_at_period_end,
        "ended_at": fetched.ended_at,
        "created_at": fetched.created,
    }
    before = _terms(row) if row else None
    changed = row is None or _differs(row, values)
    if row is None:
        row = Subscription(organization_id=account.organization_id, stripe_id=fetched.id)
    _assign(row, values, number)
    row.save()
    if before != _terms(row) and _is_news(account):
        record(
            action="subscription.changed",
            actor=Actor.stripe(),
            organization=account.organization,
            target=(row.pk, row.stripe_id),
            status=row.status.replace("_", " "),
        )
    touch(account)
    return changed


def write_invoice(account: BillingAccount, fetched: records.Invoice, number: int) -> bool:
    row = Invoice.objects.filter(stripe_id=fetched.id).first()
    if row is not None and (number <= row.fetched_seq or row.organization_id != account.organization_id):
        return False
    values = asdict(fetched)
    for own in ("id", "customer_id", "created"):
        del values[own]
    values |= {"created_at": fetched.created, "lines": [asdict(line) for line in fetched.lines]}
    old_status, old_attempts = (row.status, row.attempt_count) if row else ("", 0)
    changed = row is None or _differs(row, values)
    if row is None:
        row = Invoice(organization_id=account.organization_id, stripe_id=fetched.id)
    _assign(row, values, number)
    row.save()
    if _is_news(account):
        _announce(account, row, old_status=old_status, old_attempts=old_attempts)
    touch(account)
    return changed


def note_deleted_invoice(account: BillingAccount, stripe_id: str, number: int) -> bool:
    """Stripe has deleted a draft. The row stays, so that a late answer doesn't bring the invoice back."""
    row = Invoice.objects.for_org(account.organization_id).filter(stripe_id=stripe_id).first()
    if row is None or number <= row.fetched_seq:
        return False
    changed = row.status != InvoiceStatus.DELETED
    _assign(row, {"status": InvoiceStatus.DELETED}, number)
    row.save()
    return changed


def touch(account: BillingAccount) -> None:
    """Note that the mirror was just brought up to date: pages say as of when they speak.

    Of an account that was never synced only a piece is known now; its first look at the customer notes it.
    """
    if account.synced_at is not None:
        account.synced_at = timezone.now()
        account.save(update_fields=["synced_at"])


def _announce(account: BillingAccount, invoice: Invoice, *, old_status: str, old_attempts: int) -> None:
    amount = format_money(invoice.total, invoice.currency)
    target = (invoice.pk, str(invoice))
    if invoice.status == InvoiceStatus.PAID and old_status != InvoiceStatus.PAID:
        record(
            action="invoice.paid",
            actor=Actor.stripe(),
            organization=account.organization,
            target=target,
            amount=amount,
        )
    if invoice.payment_failed and invoice.attempt_count > old_attempts:
        record(
            action="invoice.payment_failed",
            actor=Actor.stripe(),
            organization=account.organization,
            target=target,
            amount=amount,
        )
        tell_of_failed_payment(account.organization, invoice)


def _is_news(account: BillingAccount) -> bool:
    """The first look at a customer who had a life before imports history; it is nobody's news."""
    return account.synced_at is not None


def _terms(subscription: Subscription) -> tuple[object, ...]:
    """What of a subscription people would call a change; a new period isn't."""
    return (
        subscription.status,
        subscription.cancel_at,
        subscription.cancel_at_period_end,
        [(item["price_id"], item["quantity"]) for item in subscription.items],
    )


def _differs(row: BillingAccount | Subscription | Invoice, values: dict[str, Any]) -> bool:
    return any(getattr(row, name) != value for name, value in values.items())


def _assign(row: BillingAccount | Subscription | Invoice, values: dict[str, Any], number: int) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    row.fetched_seq = number
    row.synced_at = timezone.now()
