"""The simulator's clock: real time plus an offset that tests and the demo data set."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from stripe_simulator.store import Store


class Clock:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._offset: int = store.setting("clock_offset", 0)
        self._frozen: int | None = None

    @property
    def offset(self) -> int:
        """Seconds ahead of real time."""
        return self._offset

    def now(self) -> int:
        """The simulated time, in seconds since the epoch."""
        return self._frozen if self._frozen is not None else int(time.time()) + self._offset

    def set(self, timestamp: int) -> None:
        self._offset = timestamp - int(time.time())
        self._store.set_setting("clock_offset", self._offset)

    def reset(self) -> None:
        """Go back to real time, doing nothing that falls between."""
        self.set(int(time.time()))

    @contextmanager
    def at(self, timestamp: int) -> Iterator[None]:
        """Stop the clock at a moment, to do what was due then. Call it while the store is locked."""
        before, self._frozen = self._frozen, timestamp
        try:
            yield
        finally:
            self._frozen = before
