"""Emptying the database after a test that commits."""

from functools import cache

from django.db import connection, transaction

# Made by Django beside the tables, and remembered by it: nothing in them is a test's.
KEPT = {"django_content_type", "auth_permission"}


def empty_tables(_test_case: object) -> None:
    """Delete every row that was committed.

    Django's way truncates all tables, empty ones too, and makes permissions anew: sixty times as long. The
    lock waits, as it does there, for transactions that a thread of the test has left open.
    """
    tables = [connection.ops.quote_name(table) for table in filled_by_tests()]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {', '.join(tables)}")
        # Neither foreign keys nor our triggers, which keep the audit log as it is, have a say here.
        cursor.execute("SET LOCAL session_replication_role = replica")
        deletions = "; ".join(f"DELETE FROM {table}" for table in tables)
        cursor.execute(f"DO $$ BEGIN {deletions}; END $$")


@cache
def filled_by_tests() -> list[str]:
    return sorted(set(connection.introspection.django_table_names(only_existing=True)) - KEPT)
