"""Fetching one object anew and writing it down: what every webhook comes to.

The number is taken first, then Stripe is asked, then the organization and its billing account are locked.
Each raises GatewayUnavailable and GatewayRefused.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from billing import gateway
from billing.models import BillingAccount, next_fetch_number
from billing.services import mirror
from orgs.models import Organization


@contextmanager
def locked_account(account: BillingAccount) -> Iterator[BillingAccount | None]:
    """The account as it is now, locked; None when it has another customer by now."""
    with transaction.atomic():
        organization = Organization.objects.locked(account.organization_id)
        current = BillingAccount.objects.locked(organization)
        yield current if current.stripe_customer_id == account.stripe_customer_id else None


def sync_customer(account: BillingAccount) -> bool:
    number = next_fetch_number()
    fetched = gateway.customer(str(account.stripe_customer_id))
    with locked_account(account) as current:
        return current is not None and mirror.write_customer(current, fetched, number)


def sync_subscription(account: BillingAccount, subscription_id: str) -> bool:
    number = next_fetch_number()
    fetched = gateway.subscription(subscription_id)
    with locked_account(account) as current:
        if current is None or fetched.customer_id != current.stripe_customer_id:
            return False
        return mirror.write_subscriptions(current, [fetched], number) > 0


def sync_invoice(account: BillingAccount, invoice_id: str) -> bool:
    number = next_fetch_number()
    try:
        fetched = gateway.invoice(invoice_id)
    except gateway.GatewayMissing:
        with locked_account(account) as current:
            return current is not None and mirror.note_deleted_invoice(current, invoice_id, number)
    with locked_account(account) as current:
        if current is None or fetched.customer_id != current.stripe_customer_id:
            return False
        return mirror.write_invoices(current, [fetched], number) > 0
