"""What is done once a day."""

from celery import shared_task

from tokens import services


@shared_task(name="tokens.look_through")
def look_through() -> None:
    """Warn of those that expire soon, delete those that expired long ago."""
    services.warn_of_expiring_tokens()
    services.delete_old_tokens()
