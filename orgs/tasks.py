"""What beat does about billing managers for a time, and ahead of a closing.

Postgres says what is left, so a pause loses nothing.
"""

from celery import shared_task

from orgs import closing, services


@shared_task(name="orgs.end_past_last_days")
def end_past_last_days() -> None:
    services.end_past_last_days()


@shared_task(name="orgs.remind_of_last_days")
def remind_of_last_days() -> None:
    services.remind_of_last_days()


@shared_task(name="orgs.remind_of_closing")
def remind_of_closing() -> None:
    closing.remind_of_closing()
