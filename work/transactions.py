"""A change, and what tells of it, are committed together."""

from django.db import transaction


class OutsideTransactionError(RuntimeError):
    """What was to be committed with a change was written without one."""


def ensure_transaction(what: str) -> None:
    """Raise OutsideTransactionError outside a transaction."""
    if not transaction.get_connection().in_atomic_block:
        raise OutsideTransactionError(what)
