"""Reports are read from a replica of the database, where there is one: ``DATABASE_REPLICA_URL``.

A replica follows a moment behind, so a report says as of when its figures are. Nothing hangs on it, and it
doesn't answer what its reader has just done: all else is read from the primary (docs/scaling.md says what is
a report).
"""

import time
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Generic, NamedTuple, TypeVar

import structlog
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone
from psycopg.errors import QueryCanceled

logger = structlog.get_logger(__name__)

# After it failed or fell behind: no reader waits for it anew each time.
LEFT_OUT_SECONDS = 5.0

Figures = TypeVar("Figures")

_reads: ContextVar[str] = ContextVar("reads", default=DEFAULT_DB_ALIAS)


class Lagging(NamedTuple, Generic[Figures]):
    """``as_of``: what was committed by then is in the figures; None: they come from the primary."""

    figures: Figures
    as_of: datetime | None


class Absence:
    """One per process. ``until``: monotonic seconds before which nobody asks the replica."""

    def __init__(self) -> None:
        self.until = 0.0

    def begin(self, reason: str) -> None:
        self.until = time.monotonic() + LEFT_OUT_SECONDS
        logger.warning("replica_left_out", reason=reason)


_absence = Absence()


def reading() -> BaseDatabaseWrapper:
    """The database to read: the replica's within a report, else the primary."""
    return connections[_reads.get()]


def may_lag(read: Callable[[], Figures]) -> Lagging[Figures]:
    """What ``read`` returns, read from the replica; from the primary where that one fails or lags too much.

    ``read`` may be called twice, and asks the database by ``reading()`` alone, as compiled querysets do.
    """
    if settings.REPORTS_DATABASE == DEFAULT_DB_ALIAS or time.monotonic() < _absence.until:
        return Lagging(read(), None)
    try:
        found = _from_replica(read)
    except Error as error:
        if isinstance(error.__cause__, QueryCanceled):
            # It takes too long, and would on the primary.
            raise
        connections[settings.REPORTS_DATABASE].close()
        _absence.begin(f"{type(error).__name__}: {error}")
    else:
        if found is not None:
            return found
        _absence.begin("It lags, or nothing was written for as long.")
    return Lagging(read(), None)


def _from_replica(read: Callable[[], Figures]) -> Lagging[Figures] | None:
    """None: the replica lags too much. Raises what the database raises."""
    as_of = _last_commit_seen()
    most = timedelta(seconds=settings.REPLICA_MOST_LAG_SECONDS)
    if as_of is None or timezone.now() - as_of > most:
        return None
    before = _reads.set(settings.REPORTS_DATABASE)
    try:
        return Lagging(read(), as_of)
    finally:
        _reads.reset(before)


def _last_commit_seen() -> datetime | None:
    """When the last transaction that the replica has was committed; None: it is no replica, or has none."""
    with connections[settings.REPORTS_DATABASE].cursor() as cursor:
        cursor.execute("SELECT pg_last_xact_replay_timestamp()")
        found: tuple[datetime | None] = cursor.fetchone()
    return found[0]
