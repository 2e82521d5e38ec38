"""A host of files, in place of Stripe's: it answers what a test says, whole or in a trickle."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from devstack.memory import LOOPBACK

PDF = b"%PDF-1.7\n" + b"x" * 200_000 + b"\n%%EOF\n"


@dataclass(frozen=True)
class Answer:
    """``seconds``: the time that its body takes, byte by byte. ``length``: what it says that it is."""

    body: bytes = b""
    status: int = 200
    location: str = ""
    seconds: float = 0
    length: int | None = None


@dataclass
class FileServer:
    """``answers``: by path. ``/v1/invoices/…`` says where the invoice's PDF is: at ``/pdf``."""

    url: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str) -> Answer:
        self.asked.append(path)
        if path.startswith("/v1/invoices/") and path not in self.answers:
            invoice = {"id": path.rpartition("/")[2], "object": "invoice", "invoice_pdf": f"{self.url}/pdf"}
            return Answer(json.dumps(invoice).encode())
        return self.answers.get(path, Answer(status=404))


@contextmanager
def file_server() -> Iterator[FileServer]:
    files = FileServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = files.answer(self.path)
            self.send_response(answer.status)
            if answer.location:
                self.send_header("Location", answer.location)
            self.send_header("Content-Length", str(answer.length or len(answer.body)))
            self.end_headers()
            step = 1 if answer.seconds else max(len(answer.body), 1)
            for start in range(0, len(answer.body), step):
                time.sleep(answer.seconds / len(answer.body))
                try:
                    self.wfile.write(answer.body[start : start + step])
                except ConnectionError:
                    return

        def log_message(self, *_: Any) -> None:
            """Say nothing: ``asked`` tells it."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    server = Server((LOOPBACK, 0), Handler)
    files.url = f"http://{LOOPBACK}:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield files
    server.shutdown()
    server.server_close()
    thread.join()
