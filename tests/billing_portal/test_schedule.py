"""What beat does by the clock."""

from datetime import timedelta

import pytest
from celery.schedules import crontab
from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.tasks import clear_sessions
from billing_portal.celery import app


@pytest.mark.parametrize("name", settings.CELERY_BEAT_SCHEDULE)
def test_every_scheduled_task_exists(name: str) -> None:
    app.loader.import_default_modules()
    assert settings.CELERY_BEAT_SCHEDULE[name]["task"] in app.tasks


@pytest.mark.parametrize("name", settings.CELERY_BEAT_SCHEDULE)
def test_what_is_rare_has_a_time_of_day_so_that_restarts_of_beat_never_put_it_off(name: str) -> None:
    schedule = settings.CELERY_BEAT_SCHEDULE[name]["schedule"]
    assert isinstance(schedule, crontab) or schedule <= 60


@pytest.mark.django_db
def test_ended_sessions_are_cleared() -> None:
    for key, ends in {"ended": -timedelta(seconds=1), "going-on": timedelta(days=1)}.items():
        Session.objects.create(session_key=key, session_data="", expire_date=timezone.now() + ends)
    clear_sessions()
    assert list(Session.objects.values_list("session_key", flat=True)) == ["going-on"]
