"""What the usage app does in the background."""

from celery import shared_task
from django.utils import timezone

from usage.partitions import ensure_partitions, month_after


@shared_task(name="usage.prepare_partitions")
def prepare_partitions() -> None:
    """Make this month's and the next month's partitions, so that no ingest has to wait for one."""
    today = timezone.now().date()
    ensure_partitions([today, month_after(today)])
