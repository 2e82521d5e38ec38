"""What pays, of all that is saved: what no one may remove, and what a form about it has shown.

Of a subscription its own default, else the customer's:
https://docs.stripe.com/api/subscriptions/object#subscription_object-default_payment_method
"""

import hashlib
from collections.abc import Iterable

from billing.models import BillingAccount, Invoice, Subscription


def paying_ids(default_id: str, subscriptions: Iterable[Subscription], *, something_open: bool) -> set[str]:
    """The ids of what is charged: by the current subscriptions, and where something is open by the default.

    ``something_open``: an invoice that is still to be paid.
    """
    current = list(subscriptions)
    own = {one.pays["id"] for one in current if one.pays}
    return own | {default_id} - {""} if current or something_open else own


def paying_version(default_id: str, subscriptions: Iterable[Subscription]) -> str:
    """A text that is another one as soon as anything is paid by something else."""
    own = sorted(f"{one.stripe_id} {one.pays['id'] if one.pays else ''}" for one in subscriptions)
    return hashlib.sha256("\n".join([default_id, *own]).encode()).hexdigest()[:16]


def current_subscriptions(account: BillingAccount) -> list[Subscription]:
    return list(Subscription.objects.for_org(account.organization_id).current())


def pays(account: BillingAccount, method_id: str) -> bool:
    """Whether it pays something, as far as the mirror knows."""
    something_open = Invoice.objects.for_org(account.organization_id).open().exists()
    subscriptions = current_subscriptions(account)
    return method_id in paying_ids(account.payment_method_id, subscriptions, something_open=something_open)
