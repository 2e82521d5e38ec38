"""Lists a page at a time, newest first, by key."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Func, IntegerField, Q, QuerySet, Subquery, Value
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


def positive_int(text: str | None) -> int | None:
    """A page key from the address line; anything else shows the first page."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 18 else None


def uuid_in(text: str) -> uuid.UUID | None:
    """An id from the address line, or that somebody typed; None for anything else."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def key_text(key: Key) -> str:
    """A page key for the address line."""
    at, pk = key
    return f"{at.isoformat()}~{pk}"


def key_in_text(text: str) -> Key | None:
    """A page key from the address line; anything else shows the first page."""
    moment, _separator, pk = text.partition("~")
    try:
        at, row = datetime.fromisoformat(moment), uuid.UUID(pk)
        return (at.astimezone(UTC), row) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def beyond(key: Sequence[Any], order: Sequence[str]) -> Q:
    """What comes after a key in a list of an order; ``order`` as ``order_by`` takes it, its last unique."""
    name, *rest = order
    lookup = f"{name.removeprefix('-')}__{'lt' if name.startswith('-') else 'gt'}"
    past = Q(**{lookup: key[0]})
    # The first condition alone can be looked up in an index.
    return Q(**{f"{lookup}e": key[0]}) & (past | beyond(key[1:], rest)) if rest else past


def backward(order: Sequence[str]) -> list[str]:
    """The order from the end of the list."""
    return [name[1:] if name.startswith("-") else f"-{name}" for name in order]


def older_than(key: Key, rows: AnyQuerySet, *, time: str) -> AnyQuerySet:
    """What comes after a key in a list by ``time``, newest first; the nearest first."""
    order = (f"-{time}", "-id")
    return rows.filter(beyond(key, order)).order_by(*order)


def newer_than(key: Key, rows: AnyQuerySet, *, time: str) -> AnyQuerySet:
    """What comes before a key in such a list; the nearest first."""
    order = (time, "id")
    return rows.filter(beyond(key, order)).order_by(*order)


def count_of(rows: "QuerySet[Any, Any]") -> Coalesce:
    """How many rows there are, as a column of another queryset."""
    # Grouped by nothing, so that there is one count.
    counted = rows.order_by().annotate(all=Value(1)).values("all").annotate(rows=Count("*"))
    return Coalesce(Subquery(counted.values("rows")), 0, output_field=IntegerField())


def count_up_to(most: int, rows: "QuerySet[Any, Any]") -> Func:
    """The same, but no more than ``most`` are counted."""
    some = ArraySubquery(rows.order_by().values("pk")[:most])
    return Func(some, function="CARDINALITY", output_field=IntegerField())


def fetch_page(
    *,
    older: Callable[..., list[Row]],
    newer: Callable[..., list[Row]],
    after: tuple[Any, ...] | None,
    before: tuple[Any, ...] | None,
    size: int,
    start: tuple[Any, ...] = LATER_THAN_ALL,
) -> Page[Row]:
    """What comes after a key, or just before one; where nothing does, the first page.

    Whether anything is left behind the key is not asked: a link may lead from there to the first page.

    ``older``, ``newer``: find the nearest ``size`` rows beside a key, nearest first, and one more that
    tells whether another page follows. ``start``: a key before all rows. In a list that isn't newest first,
    read "later in the list" for older, "earlier" for newer.
    """
    if before is not None and (found := newer(*before)):
        return Page(found[:size][::-1], has_newer=len(found) > size, has_older=True)
    if after is not None and (found := older(*after)):
        return Page(found[:size], has_newer=True, has_older=len(found) > size)
    return first_page(older(*start), size)


def first_page(rows: list[Row], size: int) -> Page[Row]:
    """``rows``: the first of the list, more than ``size`` where there are more."""
    return Page(rows[:size], has_newer=False, has_older=len(rows) > size)
