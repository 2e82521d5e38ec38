"""A mail server on the loopback interface, to be told how to behave: the wire of somebody else's service."""

import socketserver
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Event, Thread


class MailServer(socketserver.ThreadingTCPServer):
    """``mails``: what it has accepted, in order. ``received`` is set by each mail that has come in."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.mails: list[EmailMessage] = []
        self.recipient_answer = b"250 fine"
        self.hang_before_data = False
        self.hang_after_data = False
        self.hung = Event()
        Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def message_ids(self) -> list[str]:
        return [mail["Message-ID"] for mail in self.mails]

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class Conversation(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as Django's mail backend speaks."""

    server: MailServer

    def handle(self) -> None:
        self.answer(b"220 ready")
        for line in self.rfile:
            match line.split()[0].upper() if line.strip() else b"":
                case b"EHLO" | b"HELO":
                    self.answer(b"250 hello")
                case b"RCPT":
                    self.answer(self.server.recipient_answer)
                case b"DATA":
                    self.receive()
                case b"QUIT":
                    self.answer(b"221 bye")
                    return
                case _:
                    self.answer(b"250 fine")

    def receive(self) -> None:
        if self.server.hang_before_data:
            self.hang()
            return
        self.answer(b"354 go on")
        lines = iter(self.rfile.readline, b".\r\n")
        self.server.mails.append(message_from_bytes(b"".join(lines), policy=policy.default))
        if self.server.hang_after_data:
            self.hang()
            return
        self.answer(b"250 accepted")

    def hang(self) -> None:
        """Answer nothing until the other side has gone."""
        self.server.hung.set()
        self.rfile.read()

    def answer(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")
