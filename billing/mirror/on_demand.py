"""Invoice items for on-demand credits, written down as Stripe has them."""

from django.db.models import Min
from django.utils import timezone

from billing import gateway
from billing.gateway import records
from billing.models import BillingAccount, OnDemandItem
from billing.models.on_demand import OnDemandItemQuerySet
from credits.models import OnDemandCharge


def fetch_on_demand_items(account: BillingAccount) -> gateway.Listed[records.OnDemandItem]:
    """All of the customer; nothing is asked for one that has no such credits. Raises as the gateway does."""
    charges = OnDemandCharge.objects.for_org(account.organization_id)
    since = charges.aggregate(first=Min("until"))["first"]
    if since is None:
        return gateway.Listed([], {})
    return gateway.on_demand_items(str(account.stripe_customer_id), since=since)


def write_on_demand_items(
    account: BillingAccount, listed: gateway.Listed[records.OnDemandItem], number: int
) -> int:
    """Write down all that Stripe lists for the customer; what it lists no longer is gone."""
    changed = sum(write_on_demand_item(account, one, number) for one in listed.all)
    here = [*(one.id for one in listed.all), *listed.unreadable]
    gone = _of_customer(account, number).exclude(stripe_id__in=here)
    if gone.exists():
        changed += gone.update(gone_at=timezone.now(), fetched_seq=number)
    return changed


def write_on_demand_item(account: BillingAccount, fetched: records.OnDemandItem, number: int) -> bool:
    """Whether it was missing or wrong."""
    row = OnDemandItem.objects.filter(stripe_id=fetched.id).first()
    if row is not None and (row.organization_id != account.organization_id or number <= row.fetched_seq):
        return False
    values = {**vars(fetched), "gone_at": None}
    del values["id"]
    row = row or OnDemandItem(organization_id=account.organization_id, stripe_id=fetched.id)
    changed = any(getattr(row, name) != value for name, value in values.items())
    for name, value in {**values, "fetched_seq": number, "synced_at": timezone.now()}.items():
        setattr(row, name, value)
    row.save()
    return changed


def end_waiting_items(account: BillingAccount, number: int) -> int:
    """With a customer, Stripe deletes what waits for an invoice of theirs. How many there were."""
    return _of_customer(account, number).unbilled().update(gone_at=timezone.now(), fetched_seq=number)


def _of_customer(account: BillingAccount, number: int) -> OnDemandItemQuerySet:
    rows = OnDemandItem.objects.for_org(account.organization_id).at_stripe()
    return rows.filter(customer_id=account.stripe_customer_id, fetched_seq__lt=number)
