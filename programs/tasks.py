"""What is done once an hour."""

from celery import shared_task

from programs import services


@shared_task(name="programs.delete_old")
def delete_old() -> None:
    services.delete_old()
