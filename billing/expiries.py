"""Warning people ahead that what pays will expire: 30 and 7 days before, once each."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from billing.methods import WARNED_AHEAD, method_of
from billing.models import BillingAccount, PaymentMethod, Subscription
from billing.notices import tell_of_expiring_method
from billing.upcoming import upcoming_of


def warn_of_expiring_methods() -> None:
    """Safe to run any number of times at once, and to be killed: each warning is noted with its mails."""
    now = timezone.now()
    for method in PaymentMethod.objects.filter(_ends_within(now, days=max(WARNED_AHEAD))):
        if _days_to_warn(method, now) is not None:
            _warn(method, now)


def _ends_within(now: datetime, *, days: int) -> Q:
    """Cards are good until the end of a month, so two months can be meant, or three in February."""
    dates = {(now + timedelta(days=ahead)).date().replace(day=1) for ahead in range(days + 1)}
    found = Q()
    for date in dates:
        found |= Q(exp_year=date.year, exp_month=date.month)
    return found


def _days_to_warn(method: PaymentMethod, now: datetime) -> int | None:
    """Of how many days ahead people are to be warned now; None: not now, or they were."""
    read = method_of(method.saved)
    if read is None or read.valid_until is None or read.valid_until < now:
        return None
    ahead = [days for days in WARNED_AHEAD if read.valid_until <= now + timedelta(days=days)]
    if not ahead or (method.warned_days is not None and method.warned_days <= min(ahead)):
        return None
    return min(ahead)


@transaction.atomic
def _warn(found: PaymentMethod, now: datetime) -> None:
    account = BillingAccount.objects.locked_of(found.organization_id)
    method = PaymentMethod.objects.for_org(account.organization).filter(pk=found.pk).first()
    days = _days_to_warn(method, now) if method is not None else None
    if method is None or days is None or method.stripe_id not in _charged_ids(account):
        return
    method.warned_days = days
    method.save(update_fields=["warned_days"])
    tell_of_expiring_method(account.organization, method, days=days)


def _charged_ids(account: BillingAccount) -> set[str]:
    """The ids of what the next charges are taken from."""
    default = method_of(account.saved_default)
    current = Subscription.objects.for_org(account.organization_id).current()
    upcoming = [upcoming_of(one, customer_pays=default, confirmed_at=None) for one in current]
    return {one.pays.id for one in upcoming if one.pays is not None and one.state.charges}
