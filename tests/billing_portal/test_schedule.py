"""What beat does by the clock, and which workers do what."""

import re
from datetime import timedelta

import pytest
from celery.schedules import crontab
from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.tasks import clear_sessions
from billing_portal.celery import app
from devstack.application import application_commands
from devstack.paths import ROOT
from tests.billing_portal.test_settings import settings_with


@pytest.mark.parametrize("name", settings.CELERY_BEAT_SCHEDULE)
def test_every_scheduled_task_exists(name: str) -> None:
    app.loader.import_default_modules()
    assert settings.CELERY_BEAT_SCHEDULE[name]["task"] in app.tasks


@pytest.mark.parametrize("name", settings.CELERY_BEAT_SCHEDULE)
def test_what_is_rare_has_a_time_of_day_so_that_restarts_of_beat_never_put_it_off(name: str) -> None:
    schedule = settings.CELERY_BEAT_SCHEDULE[name]["schedule"]
    assert isinstance(schedule, crontab) or schedule <= 60


def test_as_many_sweeps_as_the_setting_says_share_the_ledgers(monkeypatch: pytest.MonkeyPatch) -> None:
    schedule = settings_with(monkeypatch, CREDITS_SWEEPS="3")["CELERY_BEAT_SCHEDULE"]
    sweeps = [one["args"] for one in schedule.values() if one["task"] == "billing.settle_credits"]  # type: ignore[attr-defined]
    assert sweeps == [(0, 3), (1, 3), (2, 3)]


def queue_of(task: str) -> str:
    return str(app.amqp.router.route({}, task)["queue"].name)


def test_customers_webhooks_and_the_settling_of_credits_have_queues_of_their_own() -> None:
    app.loader.import_default_modules()
    ours = {task for task in app.tasks if not task.startswith("celery.")}
    apart = {task: queue_of(task) for task in ours if queue_of(task) != "celery"}
    assert apart == {
        "hooks.deliver": "hooks",
        "hooks.sweep": "hooks",
        "hooks.delete_old": "hooks",
        "billing.settle_credits": "credits",
    }


def test_every_queue_has_a_worker_and_one_that_names_none_takes_all() -> None:
    queues = {queue.name for queue in settings.CELERY_TASK_QUEUES}
    assert set(app.amqp.queues.consume_from) == queues
    demo = application_commands(port=0, directory=ROOT).values()
    compose = (ROOT / "docker-compose.yml").read_text()
    named = [
        {command[command.index("--queues") + 1] for command in demo if "--queues" in command},
        set(re.findall(r'"--queues", "([a-z,]+)"', compose)),
    ]
    assert [set(",".join(workers).split(",")) for workers in named] == [queues, queues]


@pytest.mark.django_db
def test_ended_sessions_are_cleared() -> None:
    for key, ends in {"ended": -timedelta(seconds=1), "going-on": timedelta(days=1)}.items():
        Session.objects.create(session_key=key, session_data="", expire_date=timezone.now() + ends)
    clear_sessions()
    assert list(Session.objects.values_list("session_key", flat=True)) == ["going-on"]
