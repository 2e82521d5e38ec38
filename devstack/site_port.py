"""The port of the demo's pages."""

import errno
import os
import re
import socket

from devstack.memory import LOOPBACK
from devstack.messages import StackError

DEFAULT_PORT = 8000
# Below are those that only root may take.
LOWEST, HIGHEST = 1024, 65535
SHOWN_CHARACTERS = 20


def requested_port() -> int:
    """`PORT`, else 8000. Raises `StackError` when that is no number between 1024 and 65535."""
    given = os.environ.get("PORT") or str(DEFAULT_PORT)
    if not re.fullmatch("[0-9]{1,5}", given) or not LOWEST <= int(given) <= HIGHEST:
        shown = repr(given[:SHOWN_CHARACTERS])[1:-1]
        raise StackError(
            f"PORT={shown} is no port for the demo: give a number between {LOWEST} and {HIGHEST}."
        )
    return int(given)


def check_port(port: int) -> None:
    """Raises `StackError` when the demo can't listen on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            choose = f"choose another one, as in `PORT={8123 if port != 8123 else 8124} make demo`"
            if error.errno == errno.EADDRINUSE:
                raise StackError(f"Another program uses port {port}: stop it, or {choose}.") from error
            raise StackError(f"Port {port} can't be used ({error.strerror}): {choose}.") from error
