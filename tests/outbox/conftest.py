import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import transaction
from pytest_django import Settings

from outbox import doorbell, registry
from outbox.models import OutgoingEmail
from outbox.services import enqueue
from tests.outbox.mail_server import MailServer
from tests.outbox.notes import KIND, render_note
from tests.outbox.redis_server import RedisServer

Enqueue = Callable[..., OutgoingEmail]


@pytest.fixture(autouse=True)
def _notes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Know the tests' own kind of mail, and ring afresh: an earlier test may have rung in vain."""
    monkeypatch.setitem(registry._renderers, KIND, render_note)
    monkeypatch.setattr(doorbell, "_doorbell", doorbell.Doorbell())


@pytest.fixture
def put() -> Enqueue:
    """Put a note into the outbox, as a service does."""

    def put_note(to: str = "lee@ledger.test", **params: str | int | bool | None) -> OutgoingEmail:
        with transaction.atomic():
            email = enqueue(kind=KIND, to=to, dedupe_key=str(uuid.uuid4()), organization_id=None, **params)
        assert email is not None
        return email

    return put_note


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[MailServer]:
    """A mail server, and the settings to send through it."""
    server = MailServer()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    yield server
    server.close()


@pytest.fixture
def redis_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    """A Redis of this test's own, at which the doorbell rings."""
    server = RedisServer(tmp_path)
    server.start()
    monkeypatch.setenv("CELERY_BROKER_URL", server.url)
    yield server
    server.stop()
