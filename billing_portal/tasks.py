"""What the glue itself does in the background."""

from importlib import import_module

from celery import shared_task
from django.conf import settings


@shared_task(name="billing_portal.clear_sessions")
def clear_sessions() -> None:
    """Delete the sessions that have ended: the database keeps them otherwise."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
