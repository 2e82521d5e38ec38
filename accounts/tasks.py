"""Deleting what has ended: sessions, and the counts of limits."""

from importlib import import_module

from celery import shared_task
from django.conf import settings
from django.db import connection


@shared_task(name="accounts.clear_sessions")
def clear_sessions() -> None:
    """Delete the sessions that have ended: the database keeps them otherwise."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()


@shared_task(name="accounts.clear_limits")
def clear_limits() -> None:
    """Delete the counts of limits that have run out: Django deletes them only when the cache is full."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_cache WHERE expires < now()")
