"""Writing down what Stripe says, and telling people of what really changed.

Call these with the billing account locked. Each returns whether the mirror was wrong before, or how many
objects in it were. A fetch with an earlier number than what is known changes nothing.

Who has fetched all that the customer has notes the number as the account's ``listed_seq`` first, and saves
the account in the end. Rows that such a fetch only confirms are then not written.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.utils import timezone

from audit.services import Actor, record
from billing.gateway import records
from billing.models import BillingAccount, Invoice, InvoiceStatus, Subscription
from billing.money import format_money
from billing.notices import tell_of_failed_payment

Row = BillingAccount | Subscription | Invoice

# Stripe may make new ones for each fetch: https://docs.stripe.com/invoicing/hosted-invoice-page
ADDRESSES = {"hosted_url", "pdf_url"}
# They are good for 10 days at least.
ADDRESS_LIFE = timedelta(days=7)


def write_customer(account: BillingAccount, fetched: records.Customer, number: int) -> bool:
    """The customer's name, mail and default payment method; a deleted customer keeps his invoices only."""
    if _is_late(account, account, number):
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
    if changed or number != account.listed_seq:
        account.save()
    return changed


def write_subscriptions(account: BillingAccount, fetched: Sequence[records.Subscription], number: int) -> int:
    found = Subscription.objects.filter(stripe_id__in=[one.id for one in fetched])
    rows = {row.stripe_id: row for row in found}
    return sum(_write_subscription(account, rows.get(one.id), one, number) for one in fetched)


def _write_subscription(
    account: BillingAccount, row: Subscription | None, fetched: records.Subscription, number: int
) -> bool:
    if row is not None and _is_late(account, row, number):
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
    _save(account, row, changed=changed)
    if before != _terms(row) and _is_news(account):
        record(
            action="subscription.changed",
            actor=Actor.stripe(),
            organization=account.organization,
            target=(row.pk, row.stripe_id),
            status=row.status.replace("_", " "),
        )
    return changed


def write_invoices(account: BillingAccount, fetched: Sequence[records.Invoice], number: int) -> int:
    """Oldest first: the audit log should tell what was paid in the order in which it was."""
    found = Invoice.objects.filter(stripe_id__in=[one.id for one in fetched])
    rows = {row.stripe_id: row for row in found}
    in_order = sorted(fetched, key=lambda invoice: invoice.created)
    return sum(_write_invoice(account, rows.get(one.id), one, number) for one in in_order)


def _write_invoice(
    account: BillingAccount, row: Invoice | None, fetched: records.Invoice, number: int
) -> bool:
    if row is not None and _is_late(account, row, number):
        return False
    values = asdict(fetched)
    for own in ("id", "customer_id", "created"):
        del values[own]
    values |= {"created_at": fetched.created, "lines": [asdict(line) for line in fetched.lines]}
    old_status, old_attempts = (row.status, row.attempt_count) if row else ("", 0)
    changed = row is None or _differs(row, {name: values[name] for name in values.keys() - ADDRESSES})
    worn = row is not None and _has_worn_address(row)
    if row is None:
        row = Invoice(organization_id=account.organization_id, stripe_id=fetched.id)
    _assign(row, values, number)
    _save(account, row, changed=changed or worn)
    if _is_news(account):
        _announce(account, row, old_status=old_status, old_attempts=old_attempts)
    return changed


def note_deleted_invoice(account: BillingAccount, stripe_id: str, number: int) -> bool:
    """Stripe has deleted a draft. The row stays, so that a late answer doesn't bring the invoice back."""
    row = Invoice.objects.for_org(account.organization_id).filter(stripe_id=stripe_id).first()
    if row is None or _is_late(account, row, number):
        return False
    changed = row.status != InvoiceStatus.DELETED
    _assign(row, {"status": InvoiceStatus.DELETED}, number)
    row.save()
    return changed


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


def _is_late(account: BillingAccount, row: Row, number: int) -> bool:
    """Whether something later is known of this object, or it is none of the account's."""
    owner_id = row.organization_id
    return owner_id != account.organization_id or number <= row.fetched_seq or number < account.listed_seq


def _has_worn_address(invoice: Invoice) -> bool:
    """Whether the address at which an open invoice is paid may soon lead nowhere."""
    return invoice.status == InvoiceStatus.OPEN and invoice.synced_at < timezone.now() - ADDRESS_LIFE


def _differs(row: Row, values: dict[str, Any]) -> bool:
    return any(getattr(row, name) != value for name, value in values.items())


def _assign(row: Row, values: dict[str, Any], number: int) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    row.fetched_seq = number
    row.synced_at = timezone.now()


def _save(account: BillingAccount, row: Subscription | Invoice, *, changed: bool) -> None:
    one_of_all = row.fetched_seq == account.listed_seq
    if changed or not one_of_all:
        row.save()
    if not one_of_all:
        _touch(account)


def _touch(account: BillingAccount) -> None:
    """Note that the mirror was just brought up to date: pages say as of when they speak.

    Of an account that was never synced only a piece is known now; its first look at the customer notes it.
    """
    if account.synced_at is not None:
        account.synced_at = timezone.now()
        account.save(update_fields=["synced_at"])
