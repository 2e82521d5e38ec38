"""Comparing an organization's mirror with Stripe, and healing what lost webhooks left behind.

Each account once a day. Which are due, Postgres knows alone, so that nothing can make us forget one.
"""

from dataclasses import asdict, dataclass, replace
from datetime import timedelta

import structlog
from django.utils import timezone

from billing import gateway
from billing.findings import note_drift, note_unreadable
from billing.mirror.customers import sync_customer, write_customer
from billing.mirror.invoices import sync_unsettled, write_invoices
from billing.mirror.on_demand import (
    end_waiting_items,
    fetch_on_demand_items,
    write_on_demand_items,
)
from billing.mirror.rows import is_news, locked_account, next_fetch_number
from billing.mirror.subscriptions import previews_of, write_subscriptions
from billing.models import BillingAccount
from orgs.models import Organization

logger = structlog.get_logger(__name__)

EVERY = timedelta(days=1)
# So many accounts in a row without an answer: it is Stripe, not they.
MAX_UNANSWERED = 3


@dataclass(frozen=True)
class Drift:
    """How many mirrored objects were missing or wrong."""

    customers: int = 0
    subscriptions: int = 0
    invoices: int = 0
    on_demand: int = 0

    @property
    def total(self) -> int:
        return self.customers + self.subscriptions + self.invoices + self.on_demand


def reconcile_due_accounts(*, seconds: float = 45.0) -> None:
    """Reconcile what is due, the longest overdue first, beginning none after ``seconds``.

    Safe to run anywhere, any number of times at once, and to be killed at any line.
    """
    unanswered = 0
    for account_id in BillingAccount.objects.sweep(seconds=seconds):
        account = BillingAccount.objects.due().lease(account_id)
        if account is not None:
            unanswered = 0 if _stripe_answers(account) else unanswered + 1
        if unanswered == MAX_UNANSWERED:
            return


def _stripe_answers(account: BillingAccount) -> bool:
    """Reconcile; False: Stripe did not answer. Any other error concerns this account alone.

    What Stripe's key may not read, it may hardly read sooner than on the next day.
    """
    with account.attempt():
        try:
            reconcile(account.organization)
        except gateway.GatewayUnavailable as error:
            account.fail(error)
            return False
        except gateway.GatewayForbidden as error:
            account.release(error=str(error), next_attempt_at=timezone.now() + EVERY)
    return True


def reconcile(organization: Organization) -> Drift:
    """Bring the organization's mirror up to date. Raises GatewayUnavailable and GatewayRefused."""
    account = BillingAccount.objects.filter(organization=organization).first()
    if account is None or not account.stripe_customer_id:
        return Drift()
    if account.customer_deleted:
        return _reconcile_deleted(account)
    number = next_fetch_number()
    customer_id = str(account.stripe_customer_id)
    customer = gateway.customer(customer_id)
    try:
        subscriptions = gateway.subscriptions(customer_id)
        previews = previews_of(subscriptions.all)
        invoices = gateway.invoices(customer_id)
        on_demand = fetch_on_demand_items(account)
    except gateway.GatewayRefused as error:
        if not customer.deleted or isinstance(error, gateway.GatewayForbidden):
            raise
        # Whether Stripe still lists what a deleted customer had, its reference doesn't say.
        return replace(_reconcile_deleted(account), customers=int(sync_customer(account)))
    unreadable = {**subscriptions.unreadable, **invoices.unreadable, **on_demand.unreadable}
    _report_unreadable(organization, unreadable)
    listed = [*(one.id for one in invoices.all), *invoices.unreadable]
    not_listed = sync_unsettled(account, but=listed)
    with locked_account(account) as current:
        if current is None or number < current.listed_seq:
            return Drift(invoices=not_listed)
        current.listed_seq = number
        was_compared = is_news(current)
        # The customer last: a first import tells nobody of the past, and ends with the customer.
        drift = Drift(
            subscriptions=write_subscriptions(current, subscriptions, previews, number),
            invoices=write_invoices(current, invoices.all, number) + not_listed,
            on_demand=write_on_demand_items(current, on_demand, number),
            customers=int(write_customer(current, customer, number)),
        )
        note_unreadable(organization, unreadable)
        if drift.total and was_compared:
            note_drift(organization, **asdict(drift))
        _note_success(current)
    if drift.total:
        logger.warning("stripe_mirror_drifted", organization=organization.slug, **asdict(drift))
    return drift


def _report_unreadable(organization: Organization, errors: dict[str, str]) -> None:
    """What can't be read stays as it was, and stops nothing else: it is ours to mend."""
    for stripe_id, error in errors.items():
        logger.error(
            "stripe_object_unreadable", organization=organization.slug, object=stripe_id, reason=error
        )


def _reconcile_deleted(account: BillingAccount) -> Drift:
    """A deleted customer changes no more, but what they owe may still be paid, voided or written off."""
    number, unsettled = next_fetch_number(), sync_unsettled(account)
    drift = Drift(invoices=unsettled)
    with locked_account(account) as current:
        if current is not None:
            drift = replace(drift, on_demand=end_waiting_items(current, number))
            if drift.total:
                note_drift(account.organization, **asdict(drift))
            _note_success(current)
    return drift


def _note_success(account: BillingAccount) -> None:
    now = timezone.now()
    account.synced_at = account.reconciled_at = now
    account.next_attempt_at = now + EVERY
    account.leased_until, account.attempts, account.error = None, 0, ""
    account.save()
