"""Until when usage is settled: the invoice of its period is final, and takes no more of it.

A room above knows of invoices, and says so here. Usage that comes later for a settled hour belongs to it on
every page of usage, but is invoiced with later hours: who reports it is told, and that room books it.
"""

import uuid
from collections.abc import Callable
from datetime import datetime

from django.db import OperationalError, connection
from django.utils.translation import gettext as _
from psycopg.errors import LockNotAvailable

from orgs.errors import RefusedForNow

# The end of an organization's last settled period; None: none is settled.
SettledUntil = Callable[[uuid.UUID], datetime | None]

_tellers: list[SettledUntil] = []


def tell_until_when_settled_with(teller: SettledUntil) -> SettledUntil:
    _tellers.append(teller)
    return teller


def settled_until(organization_id: uuid.UUID) -> datetime | None:
    """Hours before it are settled; None: none is. Ask under ``hold_recording``, to act on the answer."""
    ends = [end for tell in _tellers if (end := tell(organization_id)) is not None]
    return max(ends, default=None)


def hold_recording(organization_id: uuid.UUID, *, wait: float | None = None) -> bool:
    """Let no other transaction record usage of the organization, or settle it, until this one ends.

    A lock of usage alone: people, roles and billing don't wait for it. Whether there is such an organization.
    ``wait``: for so many seconds at most; then it raises RefusedForNow.
    """
    with connection.cursor() as cursor:
        if wait is not None:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{wait}s"])
        try:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended('usage ' || id, 0)) FROM orgs_organization"
                # It can't be deleted meanwhile. Its own lock (NO KEY UPDATE) doesn't conflict with this one.
                " WHERE id = %s FOR KEY SHARE",
                [organization_id],
            )
        except OperationalError as error:
            if isinstance(error.__cause__, LockNotAvailable):
                raise RefusedForNow(
                    _("Other reports of the organization are being recorded."), "", wait=2
                ) from None
            raise
        return cursor.fetchone() is not None
