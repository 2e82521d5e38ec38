"""Lists a page at a time, newest first, by key: rows that come meanwhile shift nothing."""

import base64
import binascii
import json
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

from ninja import Query
from ninja.errors import ValidationError

from orgs.rows import LATER_THAN_ALL, Key

Row = TypeVar("Row")

Limit = Annotated[int, Query(ge=1, le=100, description="How many at most.")]
Cursor = Annotated[
    str | None, Query(max_length=200, description="`next` of the page before; without, the first page.")
]
ROWS = 50


def key_in(cursor: str | None) -> Key:
    """Where a page begins. Raises ValidationError."""
    if cursor is None:
        return LATER_THAN_ALL
    try:
        at, pk = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError
        return moment, uuid.UUID(pk)
    except (binascii.Error, ValueError, TypeError, AttributeError, RecursionError):
        raise bad_cursor() from None


def number_in(cursor: str | None) -> int | None:
    """The same for a list whose key is a number."""
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise bad_cursor()
    return int(cursor)


def bad_cursor() -> ValidationError:
    return ValidationError(
        [{"loc": ("query", "cursor"), "msg": "Send `next` of the page before as it came."}]
    )


def page_of(rows: Sequence[Row], limit: int, key: Callable[[Row], Any]) -> tuple[Sequence[Row], str | None]:
    """The rows of a page and the cursor of the next. ``rows``: one more than fit, where there are more."""
    shown = rows[:limit]
    return shown, key(shown[-1]) if len(rows) > limit else None


def cursor_of(at: datetime, pk: uuid.UUID) -> str:
    return base64.urlsafe_b64encode(json.dumps([at.isoformat(), str(pk)]).encode()).decode()
