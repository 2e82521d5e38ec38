"""Statements of our own, for the lists of pages that are opened most.

Django compiles a query anew each time: for a short list that takes longer than Postgres and all the rest.
"""

import uuid
from datetime import UTC, date, datetime
from typing import TypeVar

from django.db import connection
from psycopg.rows import class_row

Row = TypeVar("Row")
Value = uuid.UUID | date | str | int

# Where a page of a list begins or ends: a row's time, and its id for rows of the same time.
Key = tuple[datetime, uuid.UUID]
LATER_THAN_ALL: Key = (datetime.max.replace(tzinfo=UTC), uuid.UUID(int=2**128 - 1))


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
