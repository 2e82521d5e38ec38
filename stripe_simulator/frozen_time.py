"""Test clocks: time that stands still for some customers (https://docs.stripe.com/billing/testing/test-clocks)."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from stripe_simulator.simulator import Simulator

Json = dict[str, Any]

KIND = "test_helpers.test_clock"


@contextmanager
def time_of(simulator: Simulator, identifiers: Iterable[str]) -> Iterator[None]:
    """Stop the clock at the time of the test clock that one of these objects stands under, if any does."""
    clock = next(filter(None, (_clock_of(simulator, identifier) for identifier in identifiers)), None)
    if clock is None:
        yield
        return
    with simulator.clock.at(clock["frozen_time"]):
        yield


def named_in(params: Json) -> list[str]:
    """The ids that a request's parameters name."""
    return [value for value in params.values() if isinstance(value, str)]


def _clock_of(simulator: Simulator, identifier: str) -> Json | None:
    found = simulator.store.get(identifier) or {}
    if found.get("object") == KIND:
        return None if found.get("deleted") else found
    owner = simulator.store.get(found.get("customer") or "") or found
    return simulator.store.get(owner.get("test_clock") or "")
