"""How many requests a token, or a connected program, has a minute. The counts lie in Postgres, so they hold
while Redis is down.

A process takes some of the minute's requests at once, and spends them by itself: so few requests write, and
never do all processes together answer more than the limit. What one has taken and not spent is lost with the
minute.
"""

import threading
import uuid
from datetime import datetime

from django.db.models import Case, F, Q, When
from django.utils import timezone

from tokens.models import CountedUse

A_MINUTE = 600
AT_ONCE = 20
# More tokens than these are forgotten by a process, and what they had left with them.
REMEMBERED = 10_000


class TooManyRequests(Exception):
    """``wait``: for how many seconds."""

    def __init__(self, wait: int) -> None:
        super().__init__(wait)
        self.wait = wait


class Allowances:
    """What this process may still answer, by what is used: in which minute, and how many requests."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.left: dict[uuid.UUID, tuple[datetime, int]] = {}

    def spend(self, token_id: uuid.UUID, minute: datetime) -> bool:
        with self.lock:
            of_minute, left = self.left.get(token_id, (minute, 0))
            if of_minute != minute or not left:
                return False
            self.left[token_id] = (minute, left - 1)
            return True

    def add(self, token_id: uuid.UUID, minute: datetime, requests: int) -> None:
        with self.lock:
            if len(self.left) >= REMEMBERED:
                self.left.clear()
            of_minute, left = self.left.get(token_id, (minute, 0))
            self.left[token_id] = (minute, requests + (left if of_minute == minute else 0))


_allowances = Allowances()


def count_request(used: CountedUse) -> None:
    """Count a request. It notes as well, to the minute, when it was last used.

    Raises TooManyRequests.
    """
    now = timezone.now()
    minute = now.replace(second=0, microsecond=0)
    if _allowances.spend(used.pk, minute):
        return
    if not _take(used, minute):
        raise TooManyRequests(60 - now.second)
    _allowances.add(used.pk, minute, AT_ONCE - 1)


def _take(used: CountedUse, minute: datetime) -> bool:
    this_minute = Q(counted_minute=minute)
    free = ~this_minute | Q(counted__lte=A_MINUTE - AT_ONCE)
    free_now = type(used)._default_manager.filter(free, pk=used.pk)  # noqa: SLF001 - Django's name for it
    return bool(
        free_now.update(
            counted=Case(When(this_minute, then=F("counted") + AT_ONCE), default=AT_ONCE),
            counted_minute=minute,
            last_used_at=minute,
        )
    )
