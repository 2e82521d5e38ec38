"""Requests and answers as the server passes them on, apart from any socket."""

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: str = ""
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    """Header names in lower case."""


@dataclass
class Response:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    dropped: bool = False
    """The work is done, and the connection closes without an answer."""


def json_response(value: Any, status: int = 200, **headers: str) -> Response:
    """Stripe indents its answers. Python does that ten times as slowly, and no reader needs it."""
    body = json.dumps(value).encode() + b"\n"
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(status, body, {"Content-Type": "application/json", **named})


def html_response(page: str, status: int = 200) -> Response:
    return Response(status, page.encode(), {"Content-Type": "text/html; charset=utf-8"})


def redirect(location: str) -> Response:
    return Response(303, b"", {"Location": location})
