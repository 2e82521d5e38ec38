"""What the workers do. Redis may lose any of these: the sweep finds in Postgres what is left to do."""

import structlog
from celery import shared_task

from billing import credit_expiries, expiries, gateway, graces
from billing.credit_periods import settle_due_ledgers
from billing.mirror.prices import sync_prices
from billing.mirror.reconciliation import reconcile_due_accounts
from billing.models import StripeEvent, StripeOperation
from billing.operations.closing import close_due
from billing.operations.life import resume_each
from billing.webhooks import handle

logger = structlog.get_logger(__name__)

SWEEP_SECONDS = 20
SETTLE_SECONDS = 25
RECONCILE_SECONDS = 45
# The last one begun may be a first import, with hundreds of long invoices to ask for one by one. It ends
# before its lease does, and before the broker believes the worker dead.
LAST_RECONCILIATION_SECONDS = 195


@shared_task(name="billing.handle_event")
def handle_event(*event_ids: str) -> None:
    for event_id in event_ids:
        handle(event_id)


@shared_task(name="billing.resume_operations")
def resume_operations(*operation_ids: str) -> None:
    resume_each(operation_ids)


@shared_task(name="billing.sweep")
def sweep() -> None:
    for event_id in StripeEvent.objects.sweep(seconds=SWEEP_SECONDS):
        handle(event_id)
    resume_each(StripeOperation.objects.sweep(seconds=SWEEP_SECONDS))


@shared_task(name="billing.fetch_prices")
def fetch_prices() -> None:
    """Pages go on with the prices that are known where Stripe doesn't answer; a purchase asks anew."""
    try:
        sync_prices()
    except gateway.GatewayError as error:
        logger.warning("stripe_prices_not_fetched", reason=str(error))


@shared_task(name="billing.delete_old_events")
def delete_old_events() -> None:
    StripeEvent.objects.old().delete()


@shared_task(name="billing.warn_of_expiring_methods")
def warn_of_expiring_methods() -> None:
    expiries.warn_of_expiring_methods()


@shared_task(name="billing.warn_of_expiring_credits")
def warn_of_expiring_credits() -> None:
    credit_expiries.warn_of_expiring_credits()


@shared_task(name="billing.reconcile_due", time_limit=RECONCILE_SECONDS + LAST_RECONCILIATION_SECONDS)
def reconcile_due() -> None:
    reconcile_due_accounts(seconds=RECONCILE_SECONDS)


@shared_task(name="billing.settle_credits")
def settle_credits(part: int = 0, of: int = 1) -> None:
    """Beat sends one for each part, so that they are settled at once: see the setting CREDITS_SWEEPS."""
    settle_due_ledgers(seconds=SETTLE_SECONDS, part=part, of=of)


@shared_task(name="billing.end_graces")
def end_graces() -> None:
    graces.end_graces()


@shared_task(name="billing.close_organizations")
def close_organizations() -> None:
    close_due()
