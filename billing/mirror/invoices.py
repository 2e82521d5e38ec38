"""Invoices: written down as Stripe has them, and told of when they are paid or can't be charged."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from audit.registry import Action
from audit.services import Actor, record
from billing import gateway
from billing.actions import (
    CONFIRMATION_NEEDED,
    INVOICE_CREDITED,
    INVOICE_PAID,
    INVOICE_PAID_ELSEWHERE,
    INVOICE_REFUNDED,
    PAYMENT_FAILED,
)
from billing.bought_credits import let_bought_credits_follow
from billing.gateway import records
from billing.mirror.rows import (
    assign,
    differs,
    is_late,
    is_news,
    locked_owner,
    next_fetch_number,
    save,
    values_of,
)
from billing.models import BillingAccount, Invoice, InvoiceStatus, PaymentStatus
from billing.notices import tell_of_failed_payment, tell_of_issued_invoice, tell_of_needed_confirmation
from billing.plan_comparison import compare_first_period

# Stripe may make new ones for each fetch: https://docs.stripe.com/invoicing/hosted-invoice-page
ADDRESSES = {"hosted_url", "pdf_url"}
# They are good for 10 days at least.
ADDRESS_LIFE = timedelta(days=7)


class Told(NamedTuple):
    """What people are told of when it changes, amounts in minor units.

    ``credited``: by credit notes, beside what they refunded. ``tried_at``: of the latest attempt, as
    Stripe counts none that a person makes after the first.
    """

    status: str
    payment_status: str
    attempts: int
    tried_at: str
    refunded: int
    credited: int


NOT_ISSUED, ISSUED = {"", InvoiceStatus.DRAFT}, {InvoiceStatus.OPEN, InvoiceStatus.PAID}
NEVER_SEEN = Told(status="", payment_status="", attempts=0, tried_at="", refunded=0, credited=0)


def sync_invoice(account: BillingAccount, invoice_id: str) -> bool:
    """Fetch an invoice anew and write it down, a former customer's too.

    Raises GatewayUnavailable and GatewayRefused.
    """
    number = next_fetch_number()
    try:
        fetched = gateway.invoice(invoice_id)
    except gateway.GatewayMissing:
        with transaction.atomic():
            current = BillingAccount.objects.locked_of(account.organization_id)
            return note_deleted_invoice(current, invoice_id, number)
    with locked_owner(account, fetched.customer_id) as owner:
        return owner is not None and write_invoices(owner, [fetched], number) > 0


def sync_unsettled(account: BillingAccount, *, but: Collection[str] = ()) -> int:
    """Fetch each invoice anew that may still change, a former customer's too. How many were wrong.

    ``but``: the ids of those that are known to be right. Raises GatewayUnavailable and GatewayRefused.
    """
    unsettled = Invoice.objects.for_org(account.organization_id).unsettled().exclude(stripe_id__in=but)
    return sum(
        sync_invoice(account, stripe_id) for stripe_id in unsettled.values_list("stripe_id", flat=True)
    )


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
    values = {**values_of(fetched), "customer_id": fetched.customer_id}
    before = _told_of(row) if row else NEVER_SEEN
    changed = row is None or differs(row, {name: values[name] for name in values.keys() - ADDRESSES})
    expires = row is not None and _address_expires_soon(row)
    if row is None:
        row = Invoice(organization_id=account.organization_id, stripe_id=fetched.id)
    save(account, row, values, number, changed=changed or expires)
    if is_news(account):
        _announce(account, row, before)
    if changed and not row.subscription_id:
        let_bought_credits_follow(account.organization, row)
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


def _told_of(invoice: Invoice) -> Told:
    return Told(
        status=invoice.status,
        payment_status=invoice.payment_status,
        attempts=invoice.attempt_count,
        tried_at=invoice.tried_at,
        refunded=invoice.refunded,
        credited=invoice.credited + invoice.document["credited_before_payment"],
    )


def _announce(account: BillingAccount, invoice: Invoice, before: Told) -> None:
    """Tell of what was issued, of money received or given back, and of attempts that came to nothing yet."""
    now = _told_of(invoice)
    if before.status in NOT_ISSUED and now.status in ISSUED:
        compare_first_period(invoice)
        if invoice.total:
            tell_of_issued_invoice(account, invoice)
    paid = now.status == InvoiceStatus.PAID and before.status != InvoiceStatus.PAID
    elsewhere = invoice.document["paid_off_stripe"]
    received = min(invoice.amount_paid, invoice.amount_due - elsewhere) if elsewhere else invoice.amount_paid
    if paid and received > 0:
        _record(account, invoice, INVOICE_PAID, received)
    if paid and elsewhere:
        _record(account, invoice, INVOICE_PAID_ELSEWHERE, elsewhere)
    if now.refunded > before.refunded:
        _record(account, invoice, INVOICE_REFUNDED, now.refunded - before.refunded)
    if now.credited > before.credited:
        _record(account, invoice, INVOICE_CREDITED, now.credited - before.credited)
    if now.status != InvoiceStatus.OPEN or _attempt(now) == _attempt(before):
        return
    if now.payment_status == PaymentStatus.FAILED:
        _record(account, invoice, PAYMENT_FAILED, invoice.amount_remaining, reason=invoice.failure_code)
        tell_of_failed_payment(account.organization, invoice)
    elif invoice.payment_status == PaymentStatus.REQUIRES_ACTION:
        _record(account, invoice, CONFIRMATION_NEEDED, invoice.amount_remaining)
        tell_of_needed_confirmation(account.organization, invoice)


def _attempt(told: Told) -> tuple[str, int, str]:
    return told.payment_status, told.attempts, told.tried_at


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
