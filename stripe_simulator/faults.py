"""Faults that tests order: the next so many matching requests are delayed, failed or left unanswered."""

import threading
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

Kind = Literal["delay", "fail", "drop"]


class GivenUpError(Exception):
    """The request that was kept waiting is to be dropped."""


@dataclass
class Fault:
    """What happens to the next `count` requests of `method` to a `path` (both patterns, as of a shell).

    delay: wait `seconds`. fail: answer `status` and `body`. drop: close the connection without an answer.
    `when` says whether that comes before the work (then fail and drop do none) or after it.
    `stored` says whether a failure is what the idempotency key remembers; without it, 500 is.
    """

    kind: Kind
    count: int = 1
    method: str = "*"
    path: str = "*"
    when: Literal["before", "after"] = "before"
    seconds: float = 0
    status: int = 500
    body: dict[str, Any] | None = None
    stored: bool | None = None

    def matches(self, method: str, path: str) -> bool:
        return self.count > 0 and fnmatchcase(method, self.method.upper()) and fnmatchcase(path, self.path)

    @property
    def is_remembered(self) -> bool:
        return self.status == 500 if self.stored is None else self.stored


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._cleared = threading.Event()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Forget the faults; requests that one keeps waiting are given up, without doing their work."""
        with self._lock:
            self._faults = []
            self._cleared.set()
            self._cleared = threading.Event()

    def wait(self, seconds: float) -> None:
        """Keep a request waiting. Raises GivenUpError if the faults are cleared meanwhile."""
        with self._lock:
            cleared = self._cleared
        if cleared.wait(seconds):
            raise GivenUpError

    def take(self, method: str, path: str) -> dict[Kind, Fault]:
        """Use up one count of the first matching fault of each kind."""
        taken: dict[Kind, Fault] = {}
        with self._lock:
            for fault in self._faults:
                if fault.kind not in taken and fault.matches(method, path):
                    fault.count -= 1
                    taken[fault.kind] = fault
            self._faults = [fault for fault in self._faults if fault.count > 0]
        return taken

    def as_json(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._faults]
