"""Long tables: some rows in `make test`, all of them in `make test-full` and before a merge."""

from collections.abc import Sequence
from typing import Any

import pytest


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
