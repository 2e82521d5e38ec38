"""How long people wait for Stripe, and how many at once: a Stripe that hangs takes nobody else with it.

A person who waits occupies a web thread, and a process has few. So they wait a few seconds in all, at most
two at a time, and for a while not at all after some have got no answer. Workers keep nobody waiting: they
take no part in this, and reschedule what gets no answer.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

import structlog

from billing.gateway.errors import GatewayBusy, GatewayUnavailable
from billing.gateway.pace import at_stripes_pace

logger = structlog.get_logger(__name__)

PATIENCE_SECONDS = 4.0
# Half of the threads that the Dockerfile and the demo give a web process.
PLACES = 2
MAX_UNANSWERED = 2
PAUSE_SECONDS = 10.0

Answer = TypeVar("Answer")


class Breaker:
    """Lets nobody wait for ``PAUSE_SECONDS`` after ``MAX_UNANSWERED`` in a row have got no answer.

    Then it lets one try, and how that ends holds for all. An error that comes at once keeps nobody waiting,
    and so counts as an answer.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._unanswered = 0
        self._pause_ends = 0.0

    def lets_wait(self) -> bool:
        with self._lock:
            if self._unanswered < MAX_UNANSWERED:
                return True
            if self._clock() < self._pause_ends:
                return False
            # For the others the pause goes on while this one tries; also if it never tells how that ended.
            self._pause()
            return True

    def note(self, *, unanswered: bool) -> None:
        """How somebody's waiting ended."""
        with self._lock:
            self._unanswered = self._unanswered + 1 if unanswered else 0
            if unanswered:
                self._pause()

    def _pause(self) -> None:
        self._pause_ends = self._clock() + PAUSE_SECONDS


@dataclass
class Wait:
    """One person's: the seconds that all their calls together may still take, and whether one got no answer.

    ``unanswered`` is None until Stripe has been asked.
    """

    seconds_left: float
    unanswered: bool | None = None

    def for_answer(self, ask: Callable[[], Answer]) -> Answer:
        """The answer, or whatever ``ask`` raises. Raises GatewayUnavailable when the time is up.

        ``ask`` runs in a thread of its own, which alone can be left behind: time limits of sockets hold for
        each address tried and each piece read, and none holds for the name's look-up.
        """
        self.unanswered = False
        began = time.monotonic()
        asked = _threads.submit(ask)
        try:
            return asked.result(timeout=max(self.seconds_left, 0))
        except TimeoutError:
            asked.cancel()
            self.unanswered = True
            raise _unavailable("Stripe did not answer in the time that a person waits.") from None
        finally:
            self.seconds_left -= time.monotonic() - began


_breaker = Breaker()
_places = threading.BoundedSemaphore(PLACES)
_threads = ThreadPoolExecutor(max_workers=PLACES, thread_name_prefix="stripe")
_wait: ContextVar[Wait | None] = ContextVar("wait", default=None)


@contextmanager
def person_waits() -> Iterator[None]:
    """Around the calls of a request for whose answer a person waits: they have 4 seconds together.

    Before the block begins it raises GatewayBusy when all places are taken, and GatewayUnavailable when
    others have just got no answer.
    """
    if not _places.acquire(blocking=False):
        logger.info("stripe_busy")
        raise GatewayBusy("As many people as may wait for Stripe do so already.")
    try:
        if not _breaker.lets_wait():
            raise _unavailable("Others have just got no answer from Stripe.")
        wait = Wait(PATIENCE_SECONDS)
        token = _wait.set(wait)
        try:
            yield
        finally:
            _wait.reset(token)
            if wait.unanswered is not None:
                _breaker.note(unanswered=wait.unanswered)
    finally:
        _places.release()


def somebody_waits() -> bool:
    """Whether a person waits for what is asked now, and so reads how it ends."""
    return _wait.get() is not None


def answer_of(ask: Callable[[], Answer]) -> Answer:
    """Ask, no longer than the person waits if one does; a worker asks again what came too soon."""
    wait = _wait.get()
    return at_stripes_pace(ask) if wait is None else wait.for_answer(ask)


def _unavailable(reason: str) -> GatewayUnavailable:
    logger.warning("stripe_unavailable", reason=reason)
    return GatewayUnavailable(reason)
