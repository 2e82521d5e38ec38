"""What the workers do. Redis may lose any of these: the sweep finds in Postgres what is left to do."""

import uuid

import structlog
from celery import shared_task

from billing.gateway import GatewayUnavailable
from billing.models import BillingAccount, StripeEvent
from billing.services.cards import check_card_setup
from billing.services.inbox import handle
from billing.services.reconciling import reconcile as reconcile_organization
from billing.services.sweeping import sweep as sweep_due
from orgs.models import Organization
from outbox.doorbell import ring

logger = structlog.get_logger(__name__)


@shared_task(name="billing.handle_event")
def handle_event(event_id: str) -> None:
    handle(event_id)


@shared_task(name="billing.complete_card_setup")
def complete_card_setup(operation_id: str) -> None:
    try:
        check_card_setup(uuid.UUID(operation_id))
    except GatewayUnavailable:
        logger.warning("card_setup_not_checked", operation=operation_id)


@shared_task(name="billing.sweep")
def sweep() -> None:
    sweep_due()


@shared_task(name="billing.delete_old_events")
def delete_old_events() -> None:
    StripeEvent.objects.old().delete()


@shared_task(name="billing.reconcile_all")
def reconcile_all() -> None:
    """A task for each organization, so that one that fails, or takes long, holds up no other."""
    accounts = BillingAccount.objects.exclude(stripe_customer_id=None).filter(customer_deleted=False)
    for organization_id in accounts.values_list("organization_id", flat=True).iterator():
        ring(reconcile, str(organization_id))


@shared_task(name="billing.reconcile")
def reconcile(organization_id: str) -> None:
    try:
        reconcile_organization(Organization.objects.get(pk=organization_id))
    except GatewayUnavailable:
        logger.warning("reconcile_without_stripe", organization_id=organization_id)
