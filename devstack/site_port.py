"""The port of the demo's pages."""

import errno
import os
import socket

from devstack.memory import LOOPBACK
from devstack.messages import StackError

DEFAULT_PORT = 8000


def requested_port() -> int:
    """`PORT`, else 8000. Raises `StackError` when that is no port."""
    given = os.environ.get("PORT") or str(DEFAULT_PORT)
    if not given.isascii() or not given.isdecimal() or not 0 < int(given) < 2**16:
        raise StackError(f"PORT={given} is no port: give a number between 1024 and 65535.")
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
