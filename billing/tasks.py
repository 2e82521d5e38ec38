"""What the workers do. Redis may lose any of these: the sweep finds in Postgres what is left to do."""

import uuid

import structlog
from celery import shared_task

from billing.gateway import GatewayUnavailable
from billing.mirror.reconciliation import reconcile_due_accounts
from billing.models import StripeEvent
from billing.operations.life import resume, resume_due
from billing.webhooks import handle, handle_due

logger = structlog.get_logger(__name__)

SWEEP_SECONDS = 20
RECONCILE_SECONDS = 45
# The last one begun may be a first import, with hundreds of long invoices to ask for one by one. It ends
# before its lease does, and before the broker believes the worker dead.
LAST_RECONCILIATION_SECONDS = 195


@shared_task(name="billing.handle_event")
def handle_event(*event_ids: str) -> None:
    for event_id in event_ids:
        handle(event_id)


@shared_task(name="billing.complete_card_setup")
def complete_card_setup(*operation_ids: str) -> None:
    for operation_id in operation_ids:
        try:
            resume(uuid.UUID(operation_id))
        except GatewayUnavailable:
            logger.warning("card_setup_not_checked", operation=operation_id)


@shared_task(name="billing.sweep")
def sweep() -> None:
    handle_due(seconds=SWEEP_SECONDS)
    resume_due(seconds=SWEEP_SECONDS)


@shared_task(name="billing.delete_old_events")
def delete_old_events() -> None:
    StripeEvent.objects.old().delete()


@shared_task(name="billing.reconcile_due", time_limit=RECONCILE_SECONDS + LAST_RECONCILIATION_SECONDS)
def reconcile_due() -> None:
    reconcile_due_accounts(seconds=RECONCILE_SECONDS)
