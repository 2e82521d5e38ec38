"""What of billing a person has to look at, for the queues of support staff: one queryset for each rule."""

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from billing.failures import NEEDING_SUPPORT
from billing.models import (
    NOT_IN_FORCE,
    BillingAccount,
    OperationState,
    StripeOperation,
    Subscription,
    SubscriptionQuerySet,
)
from billing.models.accounts import BillingAccountQuerySet
from billing.models.operations import DIFFERS, GIVEN_UP, MISSING_SCOPE, StripeOperationQuerySet
from billing.selectors.prohibitions import CODE
from orgs.editions import EDITIONS

# After so many tries in vain, which take an hour or more, what is tried again won't get better by itself.
MANY_TRIES = 10
# A reconciliation has failed for two hours by then, and no page says so.
TRIES_TO_COMPARE = 5


def operations_in_trouble() -> StripeOperationQuerySet:
    """Those that only support can mend, by how they ended, and were not done since; or that never end."""
    outcome = Q(result__outcome__in=NEEDING_SUPPORT) | Q(result__has_key=MISSING_SCOPE)
    given_up = Q(outcome | ~Q(result__has_key="outcome"), state=OperationState.FAILED)
    stuck = Q(state=OperationState.PENDING, attempts__gte=MANY_TRIES)
    done = StripeOperation.objects.filter(
        organization=OuterRef("organization"),
        kind=OuterRef("kind"),
        state=OperationState.DONE,
        created_at__gt=OuterRef("created_at"),
    )
    by_support = Q(result__has_key=GIVEN_UP)
    return StripeOperation.objects.filter(given_up | stuck).exclude(by_support).exclude(Exists(done))


def operations_invoiced_otherwise() -> StripeOperationQuerySet:
    """Those whose invoice is not what their person accepted."""
    return StripeOperation.objects.filter(DIFFERS)


def accounts_not_compared() -> BillingAccountQuerySet:
    """Those that can't be compared with Stripe, and not for want of a scope, which concerns all of them."""
    failing = BillingAccount.objects.exclude(error="").filter(attempts__gte=TRIES_TO_COMPARE)
    return failing.exclude(error__startswith=CODE)


def subscriptions_at_unknown_prices() -> SubscriptionQuerySet:
    """Those in force that sell no edition which is in effect."""
    today = timezone.now().date()
    keys = {edition.price_lookup_key for edition in EDITIONS if edition.effective_from <= today}
    known = Q()
    for key in sorted(keys):
        known |= Q(items__contains=[{"lookup_key": key}])
    return Subscription.objects.exclude(status__in=NOT_IN_FORCE).exclude(known)


def subscriptions_of_closed() -> SubscriptionQuerySet:
    """Those that go on though their organization has closed: nobody there can end them."""
    return Subscription.objects.current().filter(organization__closed_at__isnull=False)
