"""Requests as a web server hands them over: through the WSGI application, byte for byte, nothing tidied."""

import io
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.signals import got_request_exception, request_finished, request_started
from django.db import close_old_connections, transaction
from django.test import Client

from billing_portal.wsgi import application

FORM = "application/x-www-form-urlencoded"
CSRF_TOKEN = "a" * 32


@dataclass(frozen=True)
class Hostile:
    """What a request carries. ``query`` and ``piece``, a part of the path, are written as on the wire."""

    query: str = ""
    piece: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_type: str | None = None


@dataclass(frozen=True)
class Answer:
    status: int
    error: BaseException | None

    @property
    def is_fault(self) -> bool:
        # 503: an invoice's PDF needs Stripe, which isn't there.
        return (self.status >= 500 and self.status != 503) or self.error is not None


def send(client: Client, method: str, path: str, hostile: Hostile) -> Answer:
    """The answer to a request in the session of ``client``. Whatever the request changed is undone."""
    session = client.cookies.get(settings.SESSION_COOKIE_NAME)
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path.encode()).decode("latin-1"),
        "QUERY_STRING": hostile.query.encode().decode("latin-1"),
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "testserver",
        "HTTP_COOKIE": f"sessionid={session.value if session else ''}; csrftoken={CSRF_TOKEN}",
        "HTTP_X_CSRFTOKEN": CSRF_TOKEN,
        "CONTENT_LENGTH": str(len(hostile.body)) if hostile.body else "",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(hostile.body),
        "wsgi.errors": sys.stderr,
    }
    if hostile.content_type is not None:
        environ["CONTENT_TYPE"] = hostile.content_type
    for name, value in hostile.headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_LENGTH" else f"HTTP_{key}"] = value

    statuses: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        for _name, value in headers:
            assert not set("\r\n\0") & set(value.encode("latin-1").decode("latin-1"))
        statuses.append(status)

    # A bare savepoint: inside an atomic block, the gateway would rightly refuse to call Stripe.
    savepoint = transaction.savepoint()
    with _faults() as faults:
        try:
            response = application(environ, start_response)
            for _chunk in response:
                pass
            response.close()
        except Exception as error:  # noqa: BLE001 - what the server would answer 500 to, whatever it is
            faults.append(error)
    transaction.savepoint_rollback(savepoint)
    transaction.savepoint_commit(savepoint)
    return Answer(int(statuses[-1][:3]) if statuses else 500, faults[0] if faults else None)


@contextmanager
def _faults() -> Iterator[list[BaseException | None]]:
    """What views and middlewares raise meanwhile. The test's connection stays open, as in Django's client."""
    raised: list[BaseException | None] = []

    def note(**_signal: object) -> None:
        raised.append(sys.exc_info()[1])

    got_request_exception.connect(note)
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield raised
    finally:
        got_request_exception.disconnect(note)
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
