"""What the workers do for support staff."""

from celery import shared_task

from support import jobs


@shared_task(name="support.count_jobs")
def count_jobs() -> None:
    jobs.count_recent_jobs()
