"""Statements of our own, for the lists of pages that are opened most.

Django compiles a query anew each time: for a short list that takes longer than Postgres and all the rest.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Generic, TypeVar

from django.db import connection
from psycopg.rows import class_row

Row = TypeVar("Row")
Value = uuid.UUID | date | str | int

# Where a page begins or ends: a row's time, and its id among rows of the same time.
Key = tuple[datetime, uuid.UUID]
LATER_THAN_ALL: Key = (datetime.max.replace(tzinfo=UTC), uuid.UUID(int=2**128 - 1))


@dataclass(frozen=True)
class Page(Generic[Row]):
    """A part of a list, newest first, and whether there is more on either side."""

    rows: list[Row]
    has_newer: bool
    has_older: bool


def fetch_rows(row: type[Row], sql: str, **values: Value) -> list[Row]:
    """What a statement finds, each as a ``row``: a class whose fields have the names of the columns."""
    with connection.cursor() as cursor:
        cursor.cursor.row_factory = class_row(row)
        cursor.execute(sql, values)
        found: list[Row] = cursor.fetchall()
    return found


def fetch_total(sql: str, **values: Value) -> int:
    """The one number that a statement counts or adds up."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        (total,) = cursor.fetchone()
    return int(total)


def fetch_page(
    row: type[Row],
    *,
    older: str,
    newer: str,
    after: Key | None,
    before: Key | None,
    size: int,
    **values: Value,
) -> Page[Row]:
    """What comes after a key, or just before one; where nothing does, the newest.

    Whether anything is left behind the key is not asked: a link may lead from there to the first page.

    ``older``, ``newer``: statements that find ``%(most)s`` rows beside ``%(at)s`` and ``%(id)s``, the nearest
    first.
    """

    def beside(key: Key, sql: str) -> list[Row]:
        # One more than is shown tells whether another page follows.
        return fetch_rows(row, sql, at=key[0], id=key[1], most=size + 1, **values)

    if before is not None and (found := beside(before, newer)):
        return Page(found[:size][::-1], has_newer=len(found) > size, has_older=True)
    if after is not None and (found := beside(after, older)):
        return Page(found[:size], has_newer=True, has_older=len(found) > size)
    found = beside(LATER_THAN_ALL, older)
    return Page(found[:size], has_newer=False, has_older=len(found) > size)
