"""*Payment methods*: all that is saved, which of it pays what, and what can be done with each."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from billing.methods import Method, method_of
from billing.models import (
    BillingAccount,
    Invoice,
    OperationKind,
    PaymentMethod,
    StripeOperation,
    Subscription,
)
from billing.selectors.methods import UsedMethod, used_methods
from billing.upcoming import upcoming_of
from billing.what_pays import paying_ids, paying_version
from orgs.models import Organization


@dataclass(frozen=True)
class SavedRow:
    """``id``: None of an older source, which can only be replaced. ``pays``: something is charged to it.

    ``pays_all``: nothing is charged to anything else. ``begun``: what is being done with it and isn't yet.
    """

    id: uuid.UUID | None
    used: UsedMethod
    is_default: bool
    pays: bool
    pays_all: bool
    begun: str

    @property
    def method(self) -> Method:
        return self.used.method

    @property
    def can_be_chosen(self) -> bool:
        return self.id is not None and not self.pays_all and not self.begun

    @property
    def can_be_removed(self) -> bool:
        return self.id is not None and not self.pays and not self.begun


@dataclass(frozen=True)
class MethodsPage:
    """``version``: what forms carry, so that nobody acts on what is no longer so."""

    rows: list[SavedRow]
    version: str
    as_of: datetime | None


def methods_page(organization: Organization) -> MethodsPage:
    account = BillingAccount.objects.filter(organization=organization).first()
    if account is None:
        return MethodsPage(rows=[], version="", as_of=None)
    current = list(Subscription.objects.for_org(organization).current().order_by("period_end", "created_at"))
    saved = list(PaymentMethod.objects.for_org(organization).order_by("created_at", "id"))
    default = method_of(account.saved_default)
    upcoming = [upcoming_of(one, customer_pays=default, confirmed_at=None) for one in current]
    used = {one.method.id: one for one in used_methods(upcoming, default)}
    something_open = Invoice.objects.for_org(organization).open().exists()
    paying = paying_ids(account.payment_method_id, current, something_open=something_open)
    begun = _begun(organization)
    ids = {method.stripe_id: method.pk for method in saved}
    for method in saved:
        read = method_of(method.saved)
        if read is not None:
            used.setdefault(read.id, UsedMethod(read, []))
    rows = [
        SavedRow(
            id=ids.get(stripe_id),
            used=one,
            is_default=stripe_id == account.payment_method_id,
            pays=stripe_id in paying,
            pays_all=paying == {stripe_id} or (not paying and stripe_id == account.payment_method_id),
            begun=begun.get(stripe_id, ""),
        )
        for stripe_id, one in used.items()
    ]
    return MethodsPage(
        rows=rows, version=paying_version(account.payment_method_id, current), as_of=account.as_of
    )


def _begun(organization: Organization) -> dict[str, str]:
    """The kinds of what waits for Stripe, by the payment method that it is about."""
    pending = StripeOperation.objects.for_org(organization).pending()
    kinds = (OperationKind.CHOOSE_METHOD, OperationKind.REMOVE_METHOD)
    return dict(pending.filter(kind__in=kinds).values_list("params__method", "kind"))
