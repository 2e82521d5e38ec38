"""Rows of work: leased by a worker, tried, rescheduled with growing waits, parked in the end, and swept.

A lease is committed before the work begins. A worker that dies lets it run out, and then the row is due
again. Each lease counts ``attempts`` up, which tells a worker whose lease ran out that another has the row:
what it still writes is refused. All times are the database's.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Self, TypeVar

import structlog
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

logger = structlog.get_logger(__name__)

# The state of a row that is tried no more.
PARKED = "failed"
ERROR_LENGTH = 2000
# One sweep begins so many at most; the next one finds the others.
BATCH = 1000

Row = TypeVar("Row", bound="Work")


class LeaseLost(Exception):
    """The lease ran out and another worker has the row, or the row has come to its end."""


@dataclass(frozen=True)
class Waits:
    """How long a row waits after an attempt that failed: each time twice as long, up to the longest."""

    first: timedelta
    longest: timedelta

    def after(self, attempts: int) -> timedelta:
        doubled: int = 2 ** min(attempts - 1, 12)
        return min(self.first * doubled, self.longest)


class WorkQuerySet(models.QuerySet[Row]):
    def unleased(self) -> Self:
        """Those that no live worker holds."""
        return self.filter(Q(leased_until=None) | Q(leased_until__lte=Now()))

    def due(self) -> Self:
        """What a worker should take now: its time has come, or its worker died."""
        return self.unleased().filter(self.model.unfinished, next_attempt_at__lte=Now())

    def sweep(self, *, seconds: float) -> Iterator[Any]:
        """The keys of what is due, the longest due first, none after ``seconds``.

        Each comes once, so that a row that stays due can't keep the others waiting.
        """
        stop_at = time.monotonic() + seconds
        for pk in self.due().order_by("next_attempt_at").values_list("pk", flat=True)[:BATCH]:
            if time.monotonic() >= stop_at:
                return
            yield pk

    def lease(self, pk: object, **values: object) -> Row | None:
        """Take one of these rows, and write ``values`` to it. None: another worker has it, or it isn't one.

        A row whose worker died in its last attempt is parked. Raises RuntimeError inside a transaction.
        """
        with transaction.atomic(durable=True):
            row = self.unleased().filter(pk=pk).select_for_update().first()
            return row if row is not None and row.begin(**values) else None


class Work(models.Model):
    """A row of work. ``error``: why the last attempt failed. One that can be parked has a ``state``.

    ``unfinished``: which rows have work left. ``MAX_ATTEMPTS``: None for those that are never parked.
    """

    attempts = models.PositiveIntegerField(db_default=0)
    next_attempt_at = models.DateTimeField(db_default=Now())
    leased_until = models.DateTimeField(null=True)
    error = models.TextField(blank=True, db_default="")

    objects: ClassVar[WorkQuerySet[Any]]

    unfinished: ClassVar[Q]
    LEASE: ClassVar[timedelta]
    WAITS: ClassVar[Waits]
    MAX_ATTEMPTS: ClassVar[int | None] = None

    class Meta:
        abstract = True

    @property
    def is_leased(self) -> bool:
        """Whether a worker has it, as far as the row was read."""
        return self.leased_until is not None and self.leased_until > timezone.now()

    @property
    def is_due(self) -> bool:
        """Whether its time has come."""
        return self.next_attempt_at <= timezone.now()

    @property
    def lease_length(self) -> timedelta:
        return self.LEASE

    @contextmanager
    def attempt(self, *, reraise: bool = False) -> Iterator[None]:
        """Around one attempt at a leased row: what goes wrong in it fails the row, and stops no other one.

        ``reraise``: for a person who waits. They have to learn that the fault is ours.
        """
        try:
            yield
        except LeaseLost:
            logger.warning("lease_lost", work=self._meta.label, key=str(self.pk))
        except Exception as error:
            logger.exception("work_broken", work=self._meta.label, key=str(self.pk))
            with suppress(LeaseLost):
                self.fail(error)
            if reraise:
                raise

    def begin(self, **values: object) -> bool:
        """Lease a locked row for a new attempt. False: its worker died in the last one, and it is parked."""
        if self.MAX_ATTEMPTS is not None and self.attempts >= self.MAX_ATTEMPTS:
            self.park(f"Its worker died in attempt {self.attempts}, the last one.")
            return False
        self.write(attempts=self.attempts + 1, leased_until=Now() + self.lease_length, **values)
        return True

    @property
    def progress(self) -> str:
        """How far it has come. A form sends it back, so that it acts on what its page showed."""
        return f"{getattr(self, 'state', '')} {self.attempts} {self.next_attempt_at.isoformat()}"

    def make_due(self, **values: object) -> None:
        """Let the next sweep take it. Call it with the row, or what stands for it, locked."""
        type(self).objects.filter(pk=self.pk).update(next_attempt_at=Now(), **values)

    def fail(self, error: Exception, *, max_attempts: int | None = None) -> None:
        """Reschedule, or park after the last attempt; ``max_attempts``: of so many. Raises LeaseLost."""
        reason = f"{type(error).__name__}: {error}"
        last = max_attempts or self.MAX_ATTEMPTS
        logger.warning("work_failed", work=self._meta.label, key=str(self.pk), reason=reason)
        if last is not None and self.attempts >= last:
            self.park(reason)
        else:
            self.reschedule(reason)

    def reschedule(self, reason: str, **values: object) -> None:
        """Let go of the row until its wait is over. Raises LeaseLost."""
        self.release(error=reason, next_attempt_at=Now() + self.WAITS.after(self.attempts), **values)

    def park(self, reason: str) -> None:
        """End the row as failed: nobody tries it again. Raises LeaseLost."""
        self.release(error=reason, state=PARKED)

    def renew(self, **values: object) -> None:
        """Write what was reached, and begin the lease anew. Raises LeaseLost."""
        self.write(leased_until=Now() + self.lease_length, **values)

    def release(self, *, error: str = "", **values: object) -> None:
        """Write how far it has come, and let go of the row. Raises LeaseLost."""
        self.write(leased_until=None, error=error[:ERROR_LENGTH].replace("\x00", ""), **values)

    def write(self, **values: object) -> None:
        """Write, unless another worker has leased the row since it was read, or it ended: LeaseLost."""
        rows = type(self).objects.filter(self.unfinished, pk=self.pk, attempts=self.attempts)
        if not rows.update(**values):
            raise LeaseLost
        for name, value in values.items():
            setattr(self, name, value)
