"""Comparing an organization's mirror with Stripe, and healing what lost webhooks left behind.

Each account once a day. Which are due, Postgres knows alone, so that nothing can make us forget one.
"""

import time
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from billing import gateway
from billing.gateway import records
from billing.models import BillingAccount, Invoice, InvoiceStatus, next_fetch_number
from billing.services import mirror
from billing.services.syncing import locked_account, sync_customer, sync_invoice
from orgs.models import Organization

logger = structlog.get_logger(__name__)

EVERY = timedelta(days=1)
# Longer than a worker may be at work on one, since a claim is a lease, too.
FIRST_RETRY = timedelta(minutes=10)
LONGEST_RETRY = timedelta(hours=6)
# So many accounts in a row without an answer: it is Stripe, not they.
ENOUGH_IN_VAIN = 3


@dataclass(frozen=True)
class Drift:
    """How many mirrored objects were missing or wrong."""

    customers: int = 0
    subscriptions: int = 0
    invoices: int = 0

    @property
    def total(self) -> int:
        return self.customers + self.subscriptions + self.invoices


def reconcile_due_accounts(*, seconds: float = 45.0) -> None:
    """Reconcile what is due, the longest overdue first, beginning none after ``seconds``.

    Safe to run anywhere, any number of times at once, and to be killed at any line.
    """
    stop_at = time.monotonic() + seconds
    in_vain = 0
    while in_vain < ENOUGH_IN_VAIN and time.monotonic() < stop_at:
        account = (
            BillingAccount.objects.due().select_related("organization").order_by("next_reconcile_at").first()
        )
        if account is None:
            return
        if _claim(account):
            in_vain = 0 if _stripe_answers(account.organization) else in_vain + 1


def _claim(account: BillingAccount) -> bool:
    """Put the account off as a failure would; False: somebody else has it.

    So whoever fails, or dies, has nothing left to write: the account comes up again, later each time.
    """
    delay = min(FIRST_RETRY * 2 ** min(account.reconcile_attempts, 12), LONGEST_RETRY)
    taken = (
        BillingAccount.objects.due()
        .filter(pk=account.pk)
        .update(reconcile_attempts=F("reconcile_attempts") + 1, next_reconcile_at=Now() + delay)
    )
    return bool(taken)


def _stripe_answers(organization: Organization) -> bool:
    """Reconcile; False: Stripe did not answer. What else goes wrong is one account's own trouble."""
    try:
        reconcile(organization)
    except gateway.GatewayUnavailable:
        logger.warning("reconcile_without_stripe", organization=organization.slug)
        return False
    except Exception:
        logger.exception("reconcile_failed", organization=organization.slug)
    return True


def reconcile(organization: Organization) -> Drift:
    """Bring the organization's mirror up to date. Raises GatewayUnavailable and GatewayRefused."""
    account = BillingAccount.objects.filter(organization=organization).first()
    if account is None or not account.has_customer:
        return Drift()
    number = next_fetch_number()
    customer_id = str(account.stripe_customer_id)
    customer = gateway.customer(customer_id)
    try:
        subscriptions = gateway.subscriptions(customer_id)
        invoices = gateway.invoices(customer_id)
    except gateway.GatewayRefused:
        if not customer.deleted:
            raise
        # Whether Stripe still lists what a deleted customer had, its reference doesn't say.
        return Drift(customers=int(sync_customer(account)))
    deleted = _note_deleted_drafts(account, invoices)
    with locked_account(account) as current:
        if current is None or number < current.listed_seq:
            return Drift(invoices=deleted)
        current.listed_seq = number
        # The customer last: a first import tells nobody of the past, and ends with the customer.
        drift = Drift(
            subscriptions=mirror.write_subscriptions(current, subscriptions, number),
            invoices=mirror.write_invoices(current, invoices, number) + deleted,
            customers=int(mirror.write_customer(current, customer, number)),
        )
        _note_success(current)
    if drift.total:
        logger.warning(
            "stripe_mirror_drifted",
            organization=organization.slug,
            customers=drift.customers,
            subscriptions=drift.subscriptions,
            invoices=drift.invoices,
        )
    return drift


def _note_deleted_drafts(account: BillingAccount, listed: list[records.Invoice]) -> int:
    """Ask for each draft that is no longer listed. How many Stripe has deleted."""
    gone = (
        Invoice.objects.for_org(account.organization_id)
        .filter(status=InvoiceStatus.DRAFT)
        .exclude(stripe_id__in=[one.id for one in listed])
    )
    return sum(sync_invoice(account, stripe_id) for stripe_id in gone.values_list("stripe_id", flat=True))


def _note_success(account: BillingAccount) -> None:
    now = timezone.now()
    account.synced_at = account.reconciled_at = now
    account.next_reconcile_at = now + EVERY
    account.reconcile_attempts = 0
    account.save(
        update_fields=[
            "listed_seq",
            "synced_at",
            "reconciled_at",
            "next_reconcile_at",
            "reconcile_attempts",
        ]
    )
