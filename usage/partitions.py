"""The monthly partitions of the hourly counts, made ahead by a task and on ingest where one is missing.

Those that are no longer kept are dropped whole; the roll-ups stay for good. Months are UTC, as hours are.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

TABLE = "usage_hourlycount"


def ensure_partitions(months: Iterable[date]) -> None:
    """Make the missing partitions of some months, each named by any of its days.

    Call it before the transaction that writes: making a partition locks the table for a moment.
    """
    wanted = {day.replace(day=1) for day in months}
    missing = wanted - partitions()
    if missing:
        _create(sorted(missing))


def month_after(month: date) -> date:
    """The first day of the next month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def first_kept_month(today: date) -> date:
    """The first day of the oldest month of which hours are kept: so many before this one."""
    year, month = divmod(today.year * 12 + today.month - 1 - settings.USAGE_MONTHS_KEPT, 12)
    return date(year, month + 1, 1)


def drop_old_partitions(today: date) -> list[date]:
    """Drop the months that are no longer kept, and return them.

    A day after their hours are refused, so that none is still being recorded.
    """
    oldest = first_kept_month(today - timedelta(days=1))
    old = sorted(month for month in partitions() if month < oldest)
    for month in old:
        with transaction.atomic(), connection.cursor() as cursor:
            # Who waits for this lock makes all others wait who ask after it. Tomorrow is early enough.
            cursor.execute("SET LOCAL lock_timeout = '2s'")
            cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(_name(month))))
    return old


def partitions() -> set[date]:
    """The first days of the months that have a partition."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
            " WHERE inhparent = %s::regclass",
            [TABLE],
        )
        return {_month(name) for (name,) in cursor.fetchall()}


def _name(month: date) -> str:
    return f"{TABLE}_{month:%Y_%m}"


def _month(name: str) -> date:
    return datetime.strptime(name, f"{TABLE}_%Y_%m").replace(tzinfo=UTC).date()


@transaction.atomic
def _create(months: list[date]) -> None:
    with connection.cursor() as cursor:
        # IF NOT EXISTS alone fails when two sessions make the same table at once.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [TABLE])
        for month in months:
            cursor.execute(
                sql.SQL("CREATE TABLE IF NOT EXISTS {} PARTITION OF {} FOR VALUES FROM ({}) TO ({})").format(
                    sql.Identifier(_name(month)),
                    sql.Identifier(TABLE),
                    sql.Literal(f"{month}T00:00:00Z"),
                    sql.Literal(f"{month_after(month)}T00:00:00Z"),
                )
            )
