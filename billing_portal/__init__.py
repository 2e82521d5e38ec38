"""Glue of the house: settings, URLs, middleware, health. No domain rule lives here."""

from billing_portal.celery import app as celery_app

__all__ = ["celery_app"]
