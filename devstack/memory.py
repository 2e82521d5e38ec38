"""Ports and secrets, kept in files from one start to the next."""

import os
import secrets
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def port_answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


def remembered_port(memory: Path) -> int:
    """The port kept in `memory` as long as nobody else uses it, else a random free one."""
    remembered = int(memory.read_text()) if memory.exists() else 0
    if remembered and port_is_free(remembered):
        return remembered
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    write_private(memory, str(port))
    return port


def remembered_secret(memory: Path) -> str:
    """The secret kept in `memory`, made at random the first time."""
    if not memory.exists():
        write_private(memory, secrets.token_hex(32))
    return memory.read_text()


def write_private(path: Path, text: str) -> None:
    """Write a file, whole or not at all, that only its owner may read."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.touch(0o600)
    unfinished.write_text(text)
    unfinished.replace(path)
