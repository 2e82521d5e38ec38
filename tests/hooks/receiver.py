"""A server that takes webhooks, on a port of its own at 127.0.0.1."""

import base64
import hashlib
import hmac
import socket
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread


@dataclass(frozen=True)
class Received:
    path: str
    headers: Message
    body: bytes

    def is_signed_with(self, secret: str) -> bool:
        """As a receiver checks it, by the text of Standard Webhooks: nothing of the portal's is used."""
        signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + self.body
        key = base64.b64decode(secret.removeprefix("whsec_"))
        wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return f"v1,{wanted}" in self.headers["webhook-signature"].split(" ")


class Receiver:
    """``status``, ``answer``: what it says. ``hangs``: it takes a webhook and says nothing."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.status, self.answer, self.location = 200, b"ok", ""
        self.hangs, self.hung, self.released = False, Event(), Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append(Received(self.path, self.headers, body))
                if receiver.hangs:
                    receiver.hung.set()
                    receiver.released.wait(60)
                self.send_response(receiver.status)
                if receiver.location:
                    self.send_header("Location", receiver.location)
                self.send_header("Content-Length", str(len(receiver.answer)))
                self.end_headers()
                self.wfile.write(receiver.answer)

            def log_message(self, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """A client that has hung up."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/in?team=9"
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def ids(self) -> list[str]:
        return [received.headers["webhook-id"] for received in self.received]

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()


def trickling_server() -> tuple[socket.socket, str]:
    """It answers a byte at a time, without end. Returns what to close, and its URL."""
    listening = socket.create_server(("127.0.0.1", 0))

    def trickle() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            try:
                while not closed.wait(0.02):
                    connection.sendall(b"x")
            except OSError:
                closed.set()

    closed = Event()
    Thread(target=trickle, daemon=True).start()
    return listening, f"http://127.0.0.1:{listening.getsockname()[1]}/"
