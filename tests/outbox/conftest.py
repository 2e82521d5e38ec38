import uuid
from collections.abc import Callable, Iterator

import pytest
from django.db import transaction
from pytest_django import Settings

from outbox.models import OutgoingEmail
from outbox.services import enqueue
from tests.outbox.mail_server import MailServer
from tests.outbox.notes import NOTE_MAIL

Enqueue = Callable[..., OutgoingEmail]


@pytest.fixture
def put() -> Enqueue:
    """Put a note into the outbox, as a service does."""

    def put_note(to: str = "lee@ledger.test", **params: str | int | bool | None) -> OutgoingEmail:
        with transaction.atomic():
            email = enqueue(NOTE_MAIL, to=to, dedupe_key=str(uuid.uuid4()), **params)
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
