"""The HTTP server. It listens on the loopback address only, and can run inside a test's process."""

import socket
import sys
import threading
import traceback
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from stripe_simulator import control_port, pages
from stripe_simulator.api import Call
from stripe_simulator.messages import Request, Response
from stripe_simulator.schedule import keep_time
from stripe_simulator.simulator import Simulator

HOST = "127.0.0.1"


def answer(simulator: Simulator, request: Request) -> Response:
    """What the simulator says, to whatever comes over a wire."""
    if request.path.startswith("/_control/"):
        return control_port.answer(simulator, request)
    if request.path.startswith("/v"):
        return Call(simulator, request).answer()
    return pages.answer(simulator, request)


class Handler(BaseHTTPRequestHandler):
    """One connection, kept alive; each answer goes out in one write."""

    protocol_version = "HTTP/1.1"
    server_version = "StripeSimulator"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 120
    simulator: ClassVar[Simulator]

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path, _, query = self.path.partition("?")
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(
            method="GET" if self.command == "HEAD" else self.command,
            path=path,
            query=query,
            body=self.rfile.read(length).decode(errors="replace"),
            headers={name.lower(): value for name, value in self.headers.items()},
        )
        response = self._dispatch(request)
        if response.dropped:
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._send(response)

    def _dispatch(self, request: Request) -> Response:
        try:
            return answer(self.simulator, request)
        except Exception:  # noqa: BLE001 # one request's failure is shown and must not look like a dropped one
            traceback.print_exc()
            return Response(
                500, b"The simulator failed; its output says why.\n", {"Content-Type": "text/plain"}
            )

    def _send(self, response: Response) -> None:
        with suppress(ConnectionError):
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(response.body)
            self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # the base class names it so
        """Say nothing: the control port lists the requests."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class Running:
    """A simulator that answers until `stop`."""

    def __init__(self, simulator: Simulator, server: _Server) -> None:
        self.simulator = simulator
        self.url = simulator.url
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="stripe", daemon=True)
        self._clock_thread = keep_time(simulator)
        simulator.webhooks.start()
        self._thread.start()

    def stop(self) -> None:
        """Finish what is being answered, and close."""
        self._server.shutdown()
        self._server.server_close()
        self.simulator.stopping.set()
        self.simulator.faults.clear()
        self._clock_thread.join()
        self.simulator.close()


def start(
    folder: Path,
    *,
    api_key: str,
    port: int = 0,
    webhook_url: str | None = None,
    webhook_secret: str | None = None,
) -> Running:
    """Start answering on 127.0.0.1, on a free port if `port` is 0, with what `folder` holds.

    A webhook address that isn't given stays as it was. Raises OSError if the port is taken.
    """

    class BoundHandler(Handler):
        """A handler of this simulator alone."""

    server = _Server((HOST, port), BoundHandler)
    try:
        simulator = Simulator(folder, api_key=api_key, url=f"http://{HOST}:{server.server_address[1]}")
    except BaseException:
        server.server_close()
        raise
    BoundHandler.simulator = simulator
    if webhook_url is not None:
        simulator.webhooks.set_endpoint(webhook_url, webhook_secret)
    return Running(simulator, server)
