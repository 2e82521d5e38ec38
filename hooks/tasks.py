"""What the worker does. Redis may lose any of these: the sweep finds in Postgres what is left to do."""

from celery import shared_task
from django.db.models import Q

from hooks.delivery import deliver_due
from hooks.models import Delivery, Endpoint

# Of a commit that wrote many, the sweep takes those that are not begun by then.
COMMIT_SECONDS = 10
SWEEP_SECONDS = 30
# A task ends before another may take its delivery.
TRY_SECONDS = 25


@shared_task(name="hooks.deliver", time_limit=COMMIT_SECONDS + TRY_SECONDS)
def deliver_written(*delivery_ids: str) -> None:
    """Deliver what one commit has written."""
    deliver_due(*delivery_ids, seconds=COMMIT_SECONDS)


@shared_task(name="hooks.sweep", time_limit=SWEEP_SECONDS + TRY_SECONDS)
def sweep() -> None:
    deliver_due(seconds=SWEEP_SECONDS)


@shared_task(name="hooks.delete_old")
def delete_old() -> None:
    """Old deliveries, and then the endpoints that have none left and get no more."""
    Delivery.objects.old().delete()
    ended = Q(removed_at__isnull=False) | Q(organization__closed_at__isnull=False)
    Endpoint.objects.filter(ended, deliveries=None).delete()
