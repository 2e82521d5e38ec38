"""Stripe's simulator without a wire: requests are answered in the thread that asks.

For tests that ask a thousand times. That a wire can break, others try; here too an answer can be dropped.
"""

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

import stripe

from stripe_simulator.control import Control
from stripe_simulator.messages import Request, Response
from stripe_simulator.server import answer
from stripe_simulator.simulator import Simulator


def _ask(
    simulator: Simulator, method: str, url: str, body: str | None, headers: Mapping[str, str]
) -> Response:
    parts = urlsplit(url)
    lower = {name.lower(): value for name, value in headers.items()}
    return answer(simulator, Request(method.upper(), parts.path, parts.query, body or "", lower))


class DirectClient(stripe.HTTPClient):
    """What the Stripe library sends its requests by."""

    name: ClassVar[str] = "direct"

    def __init__(self, simulator: Simulator) -> None:
        super().__init__()
        self._simulator = simulator

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        response = _ask(self._simulator, method, url, post_data, headers or {})
        if response.dropped:
            raise stripe.APIConnectionError("The connection was closed without an answer.")
        return response.body.decode(), response.status, response.headers


class DirectControl(Control):
    def __init__(self, simulator: Simulator) -> None:
        super().__init__(simulator.url)
        self._simulator = simulator

    def _send(
        self, method: str, path: str, body: str | None, content_type: str
    ) -> tuple[int, dict[str, str], bytes]:
        response = _ask(self._simulator, method, path, body, {"Content-Type": content_type})
        return response.status, response.headers, response.body
