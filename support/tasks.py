"""What the workers do for support staff."""

from celery import shared_task

from support import jobs
from support.queues import settling


@shared_task(name="support.count_jobs")
def count_jobs() -> None:
    jobs.count_recent_jobs()


@shared_task(name="support.forget_settled")
def forget_settled() -> None:
    settling.forget_settled()
