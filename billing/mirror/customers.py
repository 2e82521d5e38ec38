"""The customer at Stripe, on its billing account."""

from dataclasses import asdict
from typing import Any

from billing import gateway
from billing.gateway import records
from billing.mirror.methods import write_methods
from billing.mirror.rows import assign, differs, is_late, locked_account, next_fetch_number
from billing.mirror.subscriptions import end_subscriptions, let_terms_follow
from billing.models import BillingAccount, Subscription


def sync_customer(account: BillingAccount) -> bool:
    """Fetch the customer anew and write it down. Raises GatewayUnavailable and GatewayRefused."""
    number = next_fetch_number()
    fetched = gateway.customer(str(account.stripe_customer_id))
    with locked_account(account) as current:
        return current is not None and write_customer(current, fetched, number)


def write_customer(account: BillingAccount, fetched: records.Customer, number: int) -> bool:
    """The customer's name, mail, what is saved, what pays. A deleted customer keeps their invoices only."""
    if is_late(account, account, number):
        return False
    method = fetched.pays
    values: dict[str, Any] = {
        "customer_deleted": fetched.deleted,
        "name": fetched.name[:300],
        "email": fetched.email[:512],
        "address": asdict(fetched.address),
        "tax_ids": [asdict(one) for one in fetched.tax_ids],
        "invoice_fields": [asdict(one) for one in fetched.fields],
        "invoice_locale": fetched.locale[:20],
        "payment_method_id": method.id if method else "",
        "payment_method_kind": method.kind[:50] if method else "",
        "card_brand": method.brand[:50] if method else "",
        "card_last4": method.last4[-4:] if method else "",
        "card_exp_month": method.exp_month if method else None,
        "card_exp_year": method.exp_year if method else None,
    }
    changed = write_methods(account, fetched.methods) | differs(account, values)
    assign(account, values, number)
    if changed or number != account.listed_seq:
        account.save()
    if fetched.deleted:
        subscriptions = list(Subscription.objects.for_org(account.organization_id))
        end_subscriptions(account, subscriptions, number)
        let_terms_follow(account, subscriptions)
    return changed
