"""Counting the statements that reach the database, transaction control apart."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

TRANSACTION_CONTROL = ("SAVEPOINT", "RELEASE", "ROLLBACK")


@contextmanager
def sent_statements() -> Iterator[list[str]]:
    """The statements that Django sends within the block, in order."""
    sent: list[str] = []

    def note(execute: Callable[..., Any], sql: Any, *arguments: Any) -> Any:
        if not str(sql).startswith(TRANSACTION_CONTROL):
            sent.append(str(sql))
        return execute(sql, *arguments)

    with connection.execute_wrapper(note):
        yield sent
