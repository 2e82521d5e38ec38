"""Keeps the parts of the demo running: what ended is started again, and one line says so."""

import time
from collections.abc import Callable, Sequence
from typing import NoReturn

from devstack.messages import StackError, say

LOOK_SECONDS = 0.5
# A part that ends sooner after its start ended quickly.
QUICK_SECONDS = 10
MOST_QUICK_ENDS = 4
PAUSE_SECONDS = 1.0
GIVEN_LOOK_SECONDS = 5


def supervise(looks: Sequence[Callable[[], None]]) -> NoReturn:
    """Call each again and again, until one raises `StackError`, or an interruption comes."""
    while True:
        for look in looks:
            look()
        time.sleep(LOOK_SECONDS)


class Part:
    """A part that is ours to start again: at once, and after growing pauses while it ends quickly.

    `how_ended` says "ended" or "is gone", with the reason if there is one, and None while it runs. `start`
    may raise `StackError`, which counts as a quick end.
    """

    def __init__(
        self, name: str, *, how_ended: Callable[[], str | None], start: Callable[[], object]
    ) -> None:
        self.name = name
        self.how_ended = how_ended
        self.start = start
        self.started = time.monotonic()
        self.quick_ends = 0
        self.due: float | None = None

    def look(self) -> None:
        """Start it again when that is due. Raises `StackError` when it ended quickly too often in a row."""
        ended = self.how_ended()
        if ended is None:
            return
        now = time.monotonic()
        if self.due is None:
            self.due = now + self._pause(ended, quick=now - self.started < QUICK_SECONDS)
        if now >= self.due:
            self._start_again()

    def _pause(self, ended: str, *, quick: bool) -> float:
        """Say how it ended. Returns the seconds to wait before the next start."""
        self.quick_ends = self.quick_ends + 1 if quick else 0
        if self.quick_ends > MOST_QUICK_ENDS:
            raise StackError(
                f"{self.name} {ended}, {self.quick_ends} times in a row soon after its start, for the reason "
                "above: the demo gives up, and the others were stopped."
            )
        pause = PAUSE_SECONDS * 2 ** (self.quick_ends - 2) if self.quick_ends > 1 else 0
        say(f"{self.name} {ended}: starting it again{f' in {pause:g} s' if pause else ''}")
        return pause

    def _start_again(self) -> None:
        try:
            self.start()
        except StackError as error:
            say(str(error))
        else:
            say(f"{self.name} was started again")
        self.started = time.monotonic()
        self.due = None


class GivenServer:
    """A server of the caller's: the demo can only say when it's gone and when it's back."""

    def __init__(self, name: str, check: Callable[[], None]) -> None:
        self.name = name
        self.check = check
        self.gone = False
        self.next_look = 0.0

    def look(self) -> None:
        """Ask it when that is due, and say what changed."""
        if time.monotonic() < self.next_look:
            return
        try:
            self.check()
        except StackError as error:
            if not self.gone:
                say(str(error))
            self.gone = True
        else:
            if self.gone:
                say(f"{self.name} answers again")
            self.gone = False
        self.next_look = time.monotonic() + GIVEN_LOOK_SECONDS
