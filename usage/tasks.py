"""What the usage app does in the background."""

from celery import shared_task
from django.utils import timezone

from usage.partitions import drop_old_partitions, ensure_partitions, month_after


@shared_task(name="usage.prepare_partitions")
def prepare_partitions() -> None:
    """Make this month's and the next month's partitions, so that no ingest has to wait for one."""
    today = timezone.now().date()
    ensure_partitions([today, month_after(today)])


@shared_task(name="usage.drop_old_partitions")
def drop_months_no_longer_kept() -> None:
    """Drop the hourly counts of months that are no longer kept: see the setting USAGE_MONTHS_KEPT."""
    drop_old_partitions(timezone.now().date())
