"""Telling the workers that there is something to do.

Redis is only a doorbell: what must happen lies in Postgres and is swept. So a ring may get lost, but it
must never fail or hold up the request that rings.
"""

import time
from collections import defaultdict
from functools import cache
from threading import Thread
from typing import Any

import kombu.transport.redis  # noqa: F401 - now, since the first ring has no time to import it
import structlog
from celery import Celery, Task
from django.db import transaction
from kombu import Connection
from kombu.pools import producers

logger = structlog.get_logger(__name__)

RING_SECONDS = 1.0
# After a ring that failed: a request that rings often must not wait each time.
SILENT_SECONDS = 5.0
# Enough for a healthy Redis, and far below RING_SECONDS, so that a thread which nobody waits for ends soon.
TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 0.3,
    "socket_timeout": 0.3,
    "retry_on_timeout": False,
    "max_retries": 0,
}

# The ids that each task is asked for.
Asked = dict[Task[..., Any], list[str]]


class Doorbell:
    """One per process. ``silent_until``: monotonic seconds before which nobody rings."""

    def __init__(self) -> None:
        self.silent_until = 0.0

    def ring(self, asked: Asked) -> None:
        """Ask for that within RING_SECONDS, or give up and log it. Never raises."""
        if time.monotonic() < self.silent_until:
            return
        # In a thread: name resolution and a dribbling server know no total timeout.
        errors: list[Exception] = []
        ringing = Thread(target=publish, args=(asked, errors), name="doorbell", daemon=True)
        ringing.start()
        ringing.join(RING_SECONDS)
        if ringing.is_alive() or errors:
            self.silent_until = time.monotonic() + SILENT_SECONDS
            reason = str(errors[0]) if errors else f"no answer within {RING_SECONDS} s"
            logger.warning("doorbell_in_vain", tasks=[task.name for task in asked], reason=reason)


def publish(asked: Asked, errors: list[Exception]) -> None:
    """Put each task on its queue, over a connection of the doorbell's own; a failure goes into ``errors``."""
    try:
        for task, ids in asked.items():
            pool = producers[_broker(task.app, task.app.conf.broker_write_url)]
            with pool.acquire(block=True, timeout=RING_SECONDS) as producer:
                task.apply_async(tuple(ids), producer=producer, retry=False)
    except Exception as error:  # noqa: BLE001 - whatever it is, the sweep makes up for it
        errors.append(error)


@cache
def _broker(app: Celery, url: str) -> Connection:
    """The doorbell's connection, by which kombu knows its pool; to describe it anew takes a while."""
    return app.connection_for_write(url, transport_options=TRANSPORT_OPTIONS)


_doorbell = Doorbell()


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

    A commit rings once, with all the ids that were asked for in it. That takes at most a second, whatever
    Redis does, and never raises. The task must be one that a sweep repeats, and take any number of ids.
    """
    callbacks = [entry[1] for entry in transaction.get_connection().run_on_commit]
    pending = next((callback for callback in callbacks if isinstance(callback, Ring)), Ring())
    pending.asked[task].extend(ids)
    transaction.on_commit(pending, robust=True)
