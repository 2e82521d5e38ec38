"""Running things at once, in threads with database connections of their own."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection

# A few rounds find a missing lock almost always; the slow run makes sure.
ROUNDS = [
    pytest.param(5, id="5-rounds"),
    pytest.param(50, id="50-rounds", marks=pytest.mark.slow),
]


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Start all calls at the same instant; their results in order, an exception standing for itself."""
    barrier = threading.Barrier(len(calls))
    outcomes: list[object] = [None] * len(calls)

    def run(index: int, call: Callable[[], object]) -> None:
        try:
            barrier.wait()
            outcomes[index] = call()
        except Exception as exception:  # noqa: BLE001 - whatever it is, it is this call's outcome
            outcomes[index] = exception
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index, call)) for index, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
