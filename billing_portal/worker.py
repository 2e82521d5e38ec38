"""Celery's worker, with two gaps of celery and kombu 5.7.0 closed, where losing Redis could end it."""

from typing import Any

from celery.concurrency import prefork
from celery.concurrency.asynpool import AsynPool
from celery.worker import consumer
from kombu.common import ignore_errors


class WatchfulPool(AsynPool):
    """Goes on watching a child that is still in the pool after its end was announced.

    Each child is watched by a pipe. When two end between two looks at the pipes, the first event clears both
    away and starts two new ones, whose pipes get the numbers just freed, so that the second event is taken
    for the end of a new child. Celery then leaves that one in the pool unwatched, and when the connection is
    lost next, watches None in its place: kombu raises ValueError where Celery catches AttributeError.
    """

    # These declarations are missing in the stubs.
    _pool: list[Any]
    _track_child_process: Any

    def _event_process_exit(self, hub: Any, proc: Any) -> None:
        try:
            super()._event_process_exit(hub, proc)  # type: ignore[misc]  # not in the stubs
        finally:
            if proc in self._pool:
                del proc._sentinel_poll  # noqa: SLF001 - ours, by inheritance
                self._track_child_process(proc, hub)


class TaskPool(prefork.TaskPool):
    Pool = WatchfulPool


class Consumer(consumer.Consumer):
    """Closes the channel of a lost connection once more than Celery does, as long as it knows its address.

    A channel that waits for a message fails to close the first time. The second time it means to put back the
    messages at work, by a connection that Celery has taken apart meanwhile: AttributeError.
    """

    task_consumer: Any

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        if self.connection and self.task_consumer:
            ignore_errors(self.connection, self.task_consumer.channel.close)
        super().on_connection_error_after_connected(exc)
