"""Comparing an organization's mirror with Stripe, and healing what lost webhooks left behind."""

from dataclasses import dataclass

import structlog

from billing import gateway
from billing.models import BillingAccount, Invoice, InvoiceStatus, next_fetch_number
from billing.services import mirror
from billing.services.syncing import locked_account, sync_customer, sync_invoice
from orgs.models import Organization

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Drift:
    """How many mirrored objects were missing or wrong."""

    customers: int = 0
    subscriptions: int = 0
    invoices: int = 0

    @property
    def total(self) -> int:
        return self.customers + self.subscriptions + self.invoices


def reconcile(organization: Organization) -> Drift:
    """Bring the organization's mirror up to date. Raises GatewayUnavailable and GatewayRefused."""
    account = BillingAccount.objects.filter(organization=organization).first()
    if account is None or not account.has_customer:
        return Drift()
    # The customer last: a first import tells nobody of the past, and ends with the customer.
    drift = Drift(
        subscriptions=_reconcile_subscriptions(account),
        invoices=_reconcile_invoices(account),
        customers=int(sync_customer(account)),
    )
    if drift.total:
        logger.warning(
            "stripe_mirror_drifted",
            organization=organization.slug,
            customers=drift.customers,
            subscriptions=drift.subscriptions,
            invoices=drift.invoices,
        )
    return drift


def _reconcile_subscriptions(account: BillingAccount) -> int:
    number = next_fetch_number()
    fetched = gateway.subscriptions(str(account.stripe_customer_id))
    with locked_account(account) as current:
        if current is None:
            return 0
        return sum(mirror.write_subscription(current, one, number) for one in fetched)


def _reconcile_invoices(account: BillingAccount) -> int:
    number = next_fetch_number()
    fetched = gateway.invoices(str(account.stripe_customer_id))
    with locked_account(account) as current:
        if current is None:
            return 0
        # Oldest first: the audit log should tell what was paid in the order in which it was.
        in_order = sorted(fetched, key=lambda invoice: invoice.created)
        healed = sum(mirror.write_invoice(current, one, number) for one in in_order)
    gone = (
        Invoice.objects.for_org(account.organization_id)
        .filter(status=InvoiceStatus.DRAFT)
        .exclude(stripe_id__in=[one.id for one in fetched])
    )
    return healed + sum(
        sync_invoice(account, stripe_id) for stripe_id in gone.values_list("stripe_id", flat=True)
    )
