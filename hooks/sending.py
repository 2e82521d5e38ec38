"""One webhook over the wire: to a checked address, without redirects and proxies, and for seconds only."""

import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Event, Thread

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from hooks.addresses import Address, Target, UnfitAddress, addresses_of, target_of

# For everything: the look-up of the name, the connection, and the answer.
SECONDS = 5.0
ANSWER_LENGTH = 500

_tls = ssl.create_default_context()


class NoAnswer(TextChoices):
    """Why there is no answer, beside those for which an address is unfit."""

    TOO_SLOW = "too_slow", _("There was no answer within 5 seconds.")
    NO_CONNECTION = "no_connection", _("The server could not be reached.")
    NO_TRUST = "no_trust", _("The server's certificate is not valid for its name.")
    NO_HTTP = "no_http", _("What answered does not speak HTTP.")


class NotAnswered(Exception):
    """``reason``: a code of NoAnswer, or of Unfit."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Answer:
    """``text``: how its body begins."""

    status: int
    text: str


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send it, and return what the server answers, whatever that is. Raises NotAnswered."""
    exchange = _Exchange(url, body, headers)
    exchange.start()
    exchange.join(SECONDS)
    if exchange.is_alive():
        exchange.hang_up()
        raise NotAnswered(NoAnswer.TOO_SLOW)
    if exchange.error is not None:
        raise exchange.error
    if exchange.answer is None:
        raise NotAnswered(NoAnswer.NO_HTTP)
    return exchange.answer


class _Exchange(Thread):
    """In a thread, which alone can be left behind: the look-up of a name knows no time limit, and a socket's
    holds anew for each piece.
    """

    def __init__(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        super().__init__(name="webhook", daemon=True)
        self._url, self._body, self._headers = url, body, headers
        self._socket: socket.socket | None = None
        self._is_left = Event()
        self.answer: Answer | None = None
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            target = target_of(self._url)
            self.answer = self._ask(target, addresses_of(target))
        except UnfitAddress as unfit:
            self.error = NotAnswered(unfit.reason)
        except ssl.SSLCertVerificationError:
            self.error = NotAnswered(NoAnswer.NO_TRUST)
        except TimeoutError:
            self.error = NotAnswered(NoAnswer.TOO_SLOW)
        except OSError:
            self.error = NotAnswered(NoAnswer.NO_CONNECTION)
        except (HTTPException, ValueError):
            self.error = NotAnswered(NoAnswer.NO_HTTP)
        except Exception as error:  # noqa: BLE001 - raised in the thread that waits
            self.error = error

    def hang_up(self) -> None:
        """End what the thread waits for, now or later, so that a trickle of bytes does not keep it."""
        self._is_left.set()
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _ask(self, target: Target, addresses: list[Address]) -> Answer:
        # Host and certificate go by the name, the connection by the address that was checked.
        kind = HTTPSConnection if target.secure else HTTPConnection
        connection = kind(target.host, target.port)
        try:
            connection.sock = self._held(_connected(addresses, target.port))
            if target.secure:
                connection.sock = self._secured(connection.sock, target.host)
            connection.request("POST", target.path, self._body, {**self._headers, "Connection": "close"})
            response = connection.getresponse()
            return Answer(response.status, _beginning(response.read1(4 * ANSWER_LENGTH)))
        finally:
            connection.close()
            if self._socket is not None:
                self._socket.close()

    def _secured(self, plain: socket.socket, host: str) -> ssl.SSLSocket:
        # The handshake begins when hang_up can already end it.
        secured = _tls.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
        self._held(secured)
        secured.do_handshake()
        return secured

    def _held(self, connected: socket.socket) -> socket.socket:
        """Let hang_up end it. Raises TimeoutError where nobody waits any more, as after a slow look-up."""
        self._socket = connected
        if self._is_left.is_set():
            raise TimeoutError
        return connected


def _connected(addresses: list[Address], port: int) -> socket.socket:
    """A connection to the first address that takes one. Raises OSError."""
    *others, last = addresses
    for address in others:
        try:
            return socket.create_connection((str(address), port), SECONDS / len(addresses))
        except OSError:
            continue
    return socket.create_connection((str(last), port), SECONDS)


def _beginning(body: bytes) -> str:
    return body.decode(errors="replace").replace("\x00", "")[:ANSWER_LENGTH]
