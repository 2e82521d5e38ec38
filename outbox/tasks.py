"""What the worker does. Redis may lose any of these: the sweep finds in Postgres what is left to do.

The time limits keep a hanging mail server within the lease: a task ends before another may take its mail.
"""

from celery import shared_task
from django.conf import settings

from outbox.delivery import deliver_due
from outbox.models import OutgoingEmail

# Of a commit that wrote many mails, the sweep takes those that are not begun by then.
COMMIT_SECONDS = 10
SWEEP_SECONDS = 30


@shared_task(name="outbox.deliver", time_limit=settings.OUTBOX_LEASE_SECONDS)
def deliver_written(*email_ids: str) -> None:
    """Deliver the mails that one commit has written."""
    deliver_due(*email_ids, seconds=COMMIT_SECONDS)


@shared_task(name="outbox.sweep", time_limit=SWEEP_SECONDS + settings.OUTBOX_LEASE_SECONDS)
def sweep() -> None:
    deliver_due(seconds=SWEEP_SECONDS)


@shared_task(name="outbox.delete_old")
def delete_old_mails() -> None:
    OutgoingEmail.objects.old().delete()
