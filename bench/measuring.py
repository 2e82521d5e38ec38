"""Takes the time of requests through the whole WSGI application."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from statistics import median, quantiles
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings

from bench.requests import Measured, Request
from bench.statements import sent_statements

Application = Callable[..., Any]


class UnexpectedAnswerError(RuntimeError):
    """A request was not answered as it is when all is well, so its time means nothing."""


@dataclass
class Figures:
    """``sql``: statements, transaction control apart. ``bytes``: of the body.

    ``seconds``, ``cpu_seconds``: one per sample, by the clock and of this process's processor time.
    ``shortest``: see ``Measured``.
    """

    sql: int = 0
    bytes: int = 0
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    shortest: str = ""

    @property
    def p50_ms(self) -> float:
        return 1000 * median(self.seconds)

    @property
    def cpu_ms(self) -> float:
        return 1000 * median(self.cpu_seconds)

    @property
    def p95_ms(self) -> float:
        return 1000 * quantiles(self.seconds, n=20)[-1]


class Sample(NamedTuple):
    seconds: float
    cpu_seconds: float
    bytes: int


def measure(
    application: Application, floor: Measured, requests: list[Measured], *, samples: int
) -> dict[str, Figures]:
    """Rounds of floor, request, floor, request … so that whatever else the machine does hits all alike."""
    figures = {request.name: Figures(shortest=request.shortest) for request in (floor, *requests)}
    for request in (floor, *requests):
        _warm_up(application, request)
        figures[request.name].sql = _statements(application, request)
    for _round in range(samples):
        for request in requests:
            for one in (floor, request):
                taken = _take(application, one)
                figures[one.name].seconds.append(taken.seconds)
                figures[one.name].cpu_seconds.append(taken.cpu_seconds)
                figures[one.name].bytes = taken.bytes
    return figures


def _warm_up(application: Application, request: Measured, times: int = 5) -> None:
    """Templates and URL patterns are compiled by the first request that needs them."""
    for _time in range(times):
        _take(application, request)


def _statements(application: Application, request: Measured) -> int:
    made = request.make()
    with sent_statements() as statements:
        _answer(application, request, made)
    return len(statements)


def _take(application: Application, request: Measured) -> Sample:
    made = request.make()
    started, cpu_started = time.perf_counter(), time.process_time()
    body = _answer(application, request, made)
    return Sample(time.perf_counter() - started, time.process_time() - cpu_started, len(body))


def _answer(application: Application, request: Measured, made: Request) -> bytes:
    statuses: list[str] = []
    answer = application(_environ(made), lambda status, _headers: statuses.append(status))
    body = b"".join(answer)
    answer.close()
    if request.work:
        request.work(made)
    if not statuses[0].startswith(f"{request.status.value} "):
        raise UnexpectedAnswerError(f"{request.name}: {statuses[0]}\n{body[:2000].decode(errors='replace')}")
    return body


def _environ(request: Request) -> dict[str, Any]:
    """What a web server hands over (PEP 3333)."""
    site, path = urlsplit(settings.SITE_URL), urlsplit(request.path)
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items()}
    return {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path.path,
        "QUERY_STRING": path.query,
        "SERVER_NAME": site.hostname,
        "SERVER_PORT": str(site.port or 80),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": headers.pop("HTTP_CONTENT_TYPE", ""),
        "CONTENT_LENGTH": str(len(request.body)),
        "HTTP_HOST": site.netloc,
        "HTTP_COOKIE": "; ".join(f"{name}={value}" for name, value in request.cookies.items()),
        **headers,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": site.scheme,
        "wsgi.input": BytesIO(request.body),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
