"""Invoices: written down as Stripe has them, and told of when they are paid or can't be charged."""

from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from audit.registry import Action
from audit.services import Actor, record
from billing import gateway
from billing.actions import INVOICE_PAID, PAYMENT_FAILED
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
from billing.models import BillingAccount, Invoice, InvoiceStatus, PaymentStatus
from billing.notices import tell_of_failed_payment

# Stripe may make new ones for each fetch: https://docs.stripe.com/invoicing/hosted-invoice-page
ADDRESSES = {"hosted_url", "pdf_url"}
# They are good for 10 days at least.
ADDRESS_LIFE = timedelta(days=7)


def sync_invoice(account: BillingAccount, invoice_id: str) -> bool:
    """Fetch an invoice anew and write it down. Raises GatewayUnavailable and GatewayRefused."""
    number = next_fetch_number()
    try:
        fetched = gateway.invoice(invoice_id)
    except gateway.GatewayMissing:
        with locked_account(account) as current:
            return current is not None and note_deleted_invoice(current, invoice_id, number)
    with locked_account(account) as current:
        if current is None or fetched.customer_id != current.stripe_customer_id:
            return False
        return write_invoices(current, [fetched], number) > 0


def write_invoices(account: BillingAccount, fetched: Sequence[records.Invoice], number: int) -> int:
    """Oldest first, so that the audit log tells of payments in their order."""
    found = Invoice.objects.filter(stripe_id__in=[one.id for one in fetched])
    rows = {row.stripe_id: row for row in found}
    in_order = sorted(fetched, key=lambda invoice: invoice.created)
    return sum(_write_invoice(account, rows.get(one.id), one, number) for one in in_order)


def _write_invoice(
    account: BillingAccount, row: Invoice | None, fetched: records.Invoice, number: int
) -> bool:
    if row is not None and is_late(account, row, number):
        return False
    values = values_of(fetched)
    before = (row.status, row.payment_status, row.attempt_count) if row else ("", "", 0)
    changed = row is None or differs(row, {name: values[name] for name in values.keys() - ADDRESSES})
    expires = row is not None and _address_expires_soon(row)
    if row is None:
        row = Invoice(organization_id=account.organization_id, stripe_id=fetched.id)
    save(account, row, values, number, changed=changed or expires)
    if is_news(account):
        _announce(account, row, before)
    return changed


def note_deleted_invoice(account: BillingAccount, stripe_id: str, number: int) -> bool:
    """Stripe has deleted a draft. The row stays, so that a late answer doesn't bring the invoice back."""
    row = Invoice.objects.for_org(account.organization_id).filter(stripe_id=stripe_id).first()
    if row is None or is_late(account, row, number):
        return False
    changed = row.status != InvoiceStatus.DELETED
    assign(row, {"status": InvoiceStatus.DELETED}, number)
    row.save()
    return changed


def _announce(account: BillingAccount, invoice: Invoice, before: tuple[str, str, int]) -> None:
    """Tell of money that was received, and of an attempt that failed."""
    old_status, old_payment, old_attempts = before
    paid = invoice.status == InvoiceStatus.PAID and old_status != InvoiceStatus.PAID
    if paid and invoice.amount_paid:
        _record(account, invoice, INVOICE_PAID, invoice.amount_paid)
    failed = invoice.status == InvoiceStatus.OPEN and invoice.payment_status == PaymentStatus.FAILED
    if failed and (old_payment, old_attempts) != (PaymentStatus.FAILED, invoice.attempt_count):
        _record(account, invoice, PAYMENT_FAILED, invoice.amount_remaining, reason=invoice.failure_code)
        tell_of_failed_payment(account.organization, invoice)


def _record(account: BillingAccount, invoice: Invoice, action: Action, amount: int, **codes: str) -> None:
    record(
        action,
        actor=Actor.stripe(),
        organization=account.organization,
        target=(invoice.pk, str(invoice)),
        amount={"amount": amount, "currency": invoice.currency},
        **codes,
    )


def _address_expires_soon(invoice: Invoice) -> bool:
    """Whether the address at which an open invoice is paid may soon lead nowhere."""
    return invoice.status == InvoiceStatus.OPEN and invoice.synced_at < timezone.now() - ADDRESS_LIFE
