"""Lists a page at a time, newest first, by key."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.db.models import Count, IntegerField, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

Row = TypeVar("Row")
AnyQuerySet = TypeVar("AnyQuerySet", bound="QuerySet[Any, Any]")

# Where a page begins or ends: a row's time, and its id among rows of the same time.
Key = tuple[datetime, uuid.UUID]
LATER_THAN_ALL: Key = (datetime.max.replace(tzinfo=UTC), uuid.UUID(int=2**128 - 1))


@dataclass(frozen=True)
class Page(Generic[Row]):
    """A part of a list, newest first, and whether there is more on either side."""

    rows: list[Row]
    has_newer: bool
    has_older: bool


def older_than(key: Key, rows: AnyQuerySet, *, time: str) -> AnyQuerySet:
    """What comes after a key in a list by ``time``, newest first; the nearest first."""
    at, pk = key
    # The first condition alone can be looked up in an index.
    rows = rows.filter(**{f"{time}__lte": at}).filter(Q(**{f"{time}__lt": at}) | Q(id__lt=pk))
    return rows.order_by(f"-{time}", "-id")


def newer_than(key: Key, rows: AnyQuerySet, *, time: str) -> AnyQuerySet:
    """What comes before a key in such a list; the nearest first."""
    at, pk = key
    rows = rows.filter(**{f"{time}__gte": at}).filter(Q(**{f"{time}__gt": at}) | Q(id__gt=pk))
    return rows.order_by(time, "id")


def count_of(rows: "QuerySet[Any, Any]") -> Coalesce:
    """How many rows there are, as a column of another queryset. ``rows``: of one organization."""
    counted = rows.order_by().values("organization").annotate(rows=Count("*"))
    return Coalesce(Subquery(counted.values("rows")), 0, output_field=IntegerField())


def fetch_page(
    *,
    older: Callable[[datetime, uuid.UUID], list[Row]],
    newer: Callable[[datetime, uuid.UUID], list[Row]],
    after: Key | None,
    before: Key | None,
    size: int,
) -> Page[Row]:
    """What comes after a key, or just before one; where nothing does, the newest.

    Whether anything is left behind the key is not asked: a link may lead from there to the first page.

    ``older``, ``newer``: find the nearest ``size`` rows beside a key, nearest first, and one more that
    tells whether another page follows.
    """
    if before is not None and (found := newer(*before)):
        return Page(found[:size][::-1], has_newer=len(found) > size, has_older=True)
    if after is not None and (found := older(*after)):
        return Page(found[:size], has_newer=True, has_older=len(found) > size)
    found = older(*LATER_THAN_ALL)
    return Page(found[:size], has_newer=False, has_older=len(found) > size)
