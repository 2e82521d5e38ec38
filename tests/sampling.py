"""Long tables and long walks: a part in `make test`, all of them in `make test-full` and before a merge."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar
from zlib import crc32

import pytest

Thing = TypeVar("Thing")
# Of one table, in `make test`.
ROWS = 1


def sampled(rows: Sequence[Any], *, every: int) -> list[Any]:
    """The rows as parameters of a test, all slow but each ``every``-th.

    For a table that is a product: a number that shares no factor with its sides, so that each value of
    each side is in the sample.
    """
    return [
        row
        if number % every == 0
        else pytest.param(*(row if isinstance(row, tuple) else (row,)), marks=pytest.mark.slow)
        for number, row in enumerate(rows)
    ]


def shorten(items: Iterable[pytest.Item]) -> None:
    """Mark tests as slow where a table has more than ``ROWS`` rows of them that are not.

    A row stays or goes by its name: a new one moves no other.
    """
    tables: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("slow") is None:
            tables.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for rows in tables.values():
        for row in sorted(rows, key=lambda row: crc32(row.nodeid.encode()))[ROWS:]:
            row.add_marker(pytest.mark.slow)


@dataclass(frozen=True)
class Part:
    """One of several parts of a walk, such as one over all pages."""

    number: int
    parts: int

    def of(self, places: Iterable[Thing]) -> Iterator[Thing]:
        return islice(places, self.number, None, self.parts)

    def __str__(self) -> str:
        return f"{self.number + 1}of{self.parts}"


WHOLE = Part(0, 1)


def in_parts(parts: int) -> pytest.MarkDecorator:
    """Gives a test its walk in parts, as ``part``: the first in `make test`, the others slow."""
    return pytest.mark.parametrize(
        "part", sampled([Part(number, parts) for number in range(parts)], every=parts), ids=str
    )
