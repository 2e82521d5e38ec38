"""Telling the workers that there is something to do.

Redis is only a doorbell: what must happen lies in Postgres and is swept. So a ring may get lost, but it
must never fail or hold up the request that rings.
"""

import time
from functools import partial
from threading import Thread
from typing import Any

import kombu.transport.redis  # noqa: F401 - now, since the first ring has no time to import it
import structlog
from celery import Task
from django.db import transaction
from kombu.pools import producers

logger = structlog.get_logger(__name__)

RING_SECONDS = 1.0
# After a ring in vain: one request that rings often must not wait each time.
SILENT_SECONDS = 5.0
# Enough for a healthy Redis, and far below RING_SECONDS, so that a thread which nobody waits for ends soon.
TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 0.3,
    "socket_timeout": 0.3,
    "retry_on_timeout": False,
    "max_retries": 0,
}


class Doorbell:
    """One per process. ``silent_until``: monotonic seconds before which nobody rings."""

    def __init__(self) -> None:
        self.silent_until = 0.0

    def ring(self, task: Task[..., Any], *args: str) -> None:
        """Ask for ``task(*args)`` within RING_SECONDS, or give up and log it. Never raises."""
        if time.monotonic() < self.silent_until:
            return
        # In a thread: name resolution and a dribbling server know no total timeout.
        errors: list[Exception] = []
        ringing = Thread(target=publish, args=(task, args, errors), name="doorbell", daemon=True)
        ringing.start()
        ringing.join(RING_SECONDS)
        if ringing.is_alive() or errors:
            self.silent_until = time.monotonic() + SILENT_SECONDS
            reason = str(errors[0]) if errors else f"no answer within {RING_SECONDS} s"
            logger.warning("doorbell_in_vain", task=task.name, reason=reason)


def publish(task: Task[..., Any], args: tuple[str, ...], errors: list[Exception]) -> None:
    """Put the task on its queue over a connection of the doorbell's own; a failure goes into ``errors``."""
    try:
        connection = task.app.connection_for_write(transport_options=TRANSPORT_OPTIONS)
        with producers[connection].acquire(block=True, timeout=RING_SECONDS) as producer:
            task.apply_async(args, producer=producer, retry=False)
    except Exception as error:  # noqa: BLE001 - whatever it is, the sweep makes up for it
        errors.append(error)


_doorbell = Doorbell()


def ring(task: Task[..., Any], *args: str) -> None:
    """Ask the workers for ``task(*args)`` once the present transaction is committed, or at once outside one.

    Takes at most a second, whatever Redis does; never raises. The task must be one that a sweep repeats.
    """
    transaction.on_commit(partial(_doorbell.ring, task, *args), robust=True)
