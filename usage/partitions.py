"""The monthly partitions of the hourly counts, made ahead by a task and on ingest where one is missing."""

from collections.abc import Iterable
from datetime import date

from django.db import connection, transaction
from psycopg import sql

TABLE = "usage_hourlycount"


def ensure_partitions(months: Iterable[date]) -> None:
    """Make the missing partitions of some months, each named by any of its days.

    Call it before the transaction that writes: making a partition locks the table for a moment.
    """
    wanted = {day.replace(day=1) for day in months}
    missing = wanted - _existing(wanted)
    if missing:
        _create(sorted(missing))


def month_after(month: date) -> date:
    """The first day of the next month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _name(month: date) -> str:
    return f"{TABLE}_{month:%Y_%m}"


def _existing(months: set[date]) -> set[date]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class"
            " WHERE relname = ANY(%s) AND relispartition AND pg_table_is_visible(oid)",
            [[_name(month) for month in months]],
        )
        names = {name for (name,) in cursor.fetchall()}
    return {month for month in months if _name(month) in names}


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
