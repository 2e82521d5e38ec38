"""Telling the workers that there is something to do.

Redis is only a doorbell: what must happen lies in Postgres and is swept. So a ring may get lost, but it
must never fail or hold up the request that rings.
"""

import atexit
import os
import time
from collections import defaultdict
from contextlib import suppress
from functools import cache
from queue import Full, Queue
from threading import Thread
from typing import Any

import kombu.transport.redis  # noqa: F401 - now, since the first ring has no time to import it
import structlog
from celery import Celery, Task
from django.db import transaction
from kombu import Connection
from kombu.pools import producers

logger = structlog.get_logger(__name__)

# How long a process that ends still rings.
RING_SECONDS = 1.0
# After a ring that failed: those behind it would fail as well, one after the other.
SILENT_SECONDS = 5.0
# More than this means that Redis doesn't answer.
MOST_WAITING = 1_000
# Enough for a healthy Redis.
TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 0.3,
    "socket_timeout": 0.3,
    "retry_on_timeout": False,
    "max_retries": 0,
}

# The ids that each task is asked for.
Asked = dict[Task[..., Any], list[str]]


class Doorbell:
    """One per process. A thread of its own rings, so that nobody waits for Redis.

    ``silent_until``: monotonic seconds before which nobody rings.
    """

    def __init__(self) -> None:
        self.silent_until = 0.0
        self.waiting: Queue[Asked | None] = Queue(MOST_WAITING)
        self.ringing: Thread | None = None

    def ring(self, asked: Asked) -> None:
        """Have the workers asked for that. Neither waits nor raises; what fails is logged."""
        if time.monotonic() < self.silent_until:
            return
        if self.ringing is None or not self.ringing.is_alive():
            self.ringing = Thread(target=self._ring_on, name="doorbell", daemon=True)
            self.ringing.start()
        try:
            self.waiting.put_nowait(asked)
        except Full:
            self._be_silent(asked, "Redis takes too long")

    def finish(self) -> None:
        """Wait for what was asked for, RING_SECONDS at most. A later ring begins anew."""
        if self.ringing is not None:
            with suppress(Full):
                self.waiting.put_nowait(None)
                self.ringing.join(RING_SECONDS)

    def _ring_on(self) -> None:
        while (asked := self.waiting.get()) is not None:
            if time.monotonic() < self.silent_until:
                continue
            try:
                publish(asked)
            except Exception as error:  # noqa: BLE001 - whatever it is, the sweep makes up for it
                self._be_silent(asked, str(error))

    def _be_silent(self, asked: Asked, reason: str) -> None:
        self.silent_until = time.monotonic() + SILENT_SECONDS
        logger.warning("doorbell_in_vain", tasks=[task.name for task in asked], reason=reason)


def publish(asked: Asked) -> None:
    """Put each task on its queue, over a connection of the doorbell's own. Raises what kombu does."""
    for task, ids in asked.items():
        pool = producers[_broker(task.app, task.app.conf.broker_write_url)]
        with pool.acquire(block=True, timeout=RING_SECONDS) as producer:
            task.apply_async(tuple(ids), producer=producer, retry=False)


@cache
def _broker(app: Celery, url: str) -> Connection:
    """The doorbell's connection, by which kombu knows its pool; to describe it anew takes a while."""
    return app.connection_for_write(url, transport_options=TRANSPORT_OPTIONS)


_doorbell = Doorbell()


def _ring_anew() -> None:
    """In the child of a fork, where the thread is gone, and may have held the queue's lock."""
    global _doorbell  # noqa: PLW0603
    _doorbell = Doorbell()


os.register_at_fork(after_in_child=_ring_anew)


@atexit.register
def _finish() -> None:
    _doorbell.finish()


class Ring:
    """What one transaction asks for. Registered each time that it asks, since a savepoint that is rolled back
    takes its own registrations along; the first that is left rings for all, also for rows that are not there.
    """

    def __init__(self) -> None:
        self.asked: Asked = defaultdict(list)
        self.rung = False

    def __call__(self) -> None:
        if not self.rung:
            self.rung = True
            _doorbell.ring(self.asked)


def ring(task: Task[..., Any], *ids: str) -> None:
    """Ask the workers for ``task`` with these ids at the present transaction's commit; outside one, at once.

    A commit rings once, with all the ids that were asked for in it. That waits for nothing, whatever Redis
    does, and never raises. The task must be one that a sweep repeats, and take any number of ids.
    """
    callbacks = [entry[1] for entry in transaction.get_connection().run_on_commit]
    pending = next((callback for callback in callbacks if isinstance(callback, Ring)), Ring())
    pending.asked[task].extend(ids)
    transaction.on_commit(pending, robust=True)
