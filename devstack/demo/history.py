"""The demo's past at Stripe, lived through in the simulator by moving its clock.

The customers are made by the portal, the mirror is filled by its own reconciliation.
"""

import time

from django.conf import settings
from django.db.models import Count
from django.utils import timezone

from billing.mirror.prices import sync_prices
from billing.mirror.reconciliation import reconcile
from billing.models import BillingAccount, FoundDrift, Invoice, StripeOperation, Subscription
from devstack.demo.cast import ORGANIZATIONS
from devstack.demo.story import Story
from orgs.models import Organization
from stripe_simulator.control import Control

FEWEST_INVOICES = 3
SLUGS = [cast.slug for cast in ORGANIZATIONS]


def ensure_history() -> None:
    """Live through the past unless that was done; what an earlier load left half done starts over."""
    if not settings.STRIPE_API_BASE:
        print("The invoices of the demo need the simulator: your account at Stripe stays as it is.")
        return
    if _is_complete():
        return
    simulator = Control(settings.STRIPE_API_BASE)
    _forget(simulator)
    endpoint = simulator.state()["webhooks"]["url"]
    # The portal doesn't listen yet, and reconciles in the end.
    simulator.set_webhook_endpoint(None)
    try:
        _live_through(simulator)
        sync_prices()
        for organization in Organization.objects.filter(slug__in=SLUGS):
            reconcile(organization)
        # No webhook was lost: nobody listened.
        FoundDrift.objects.filter(organization__slug__in=SLUGS).delete()
    finally:
        simulator.set_webhook_endpoint(endpoint)


def _is_complete() -> bool:
    mirrored = BillingAccount.objects.filter(organization__slug__in=SLUGS).annotate(
        invoices=Count("organization__invoices")
    )
    return mirrored.filter(invoices__gte=FEWEST_INVOICES).count() == len(SLUGS)


def _forget(simulator: Control) -> None:
    for mirror in (Invoice, Subscription, StripeOperation, BillingAccount):
        mirror.objects.filter(organization__slug__in=SLUGS).delete()
    simulator.reset()


def _live_through(simulator: Control) -> None:
    for step in Story(timezone.now()).steps():
        simulator.set_clock(int(step.at.timestamp()))
        step.act()
    simulator.set_clock(int(time.time()))
