"""What the simulator remembers: one SQLite file, written in transactions, so that it survives a kill."""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Json = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    customer TEXT,
    due INTEGER,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (kind, customer, seq);
CREATE INDEX IF NOT EXISTS customers_by_test_clock ON objects (json_extract(body, '$.test_clock'))
    WHERE kind = 'customer' AND json_extract(body, '$.test_clock') IS NOT NULL;
CREATE INDEX IF NOT EXISTS objects_by_due ON objects (due, seq) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL,
    position REAL NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'dropped')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt REAL NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event);
CREATE INDEX IF NOT EXISTS deliveries_pending ON deliveries (position) WHERE state = 'pending';
CREATE TABLE IF NOT EXISTS idempotency (
    key TEXT PRIMARY KEY,
    endpoint TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    request_id TEXT NOT NULL,
    status INTEGER NOT NULL,
    body BLOB NOT NULL,
    created INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS requests (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
REQUESTS_KEPT = 10_000
TABLES = ("objects", "deliveries", "idempotency", "requests", "settings")


class Store:
    """One connection behind one lock: requests are short, and each sees the ones before it whole."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.lock = threading.RLock()
        self._depth = 0
        self._database = sqlite3.connect(
            folder / "stripe.sqlite3", isolation_level=None, check_same_thread=False, timeout=10
        )
        self._database.row_factory = sqlite3.Row
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(SCHEMA)

    def close(self) -> None:
        with self.lock:
            self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; nested ones are savepoints. Holds the lock."""
        with self.lock:
            name = f"level{self._depth}"
            self._database.execute(f"SAVEPOINT {name}" if self._depth else "BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth:
                    self._database.execute(f"ROLLBACK TO {name}")
                    self._database.execute(f"RELEASE {name}")
                else:
                    self._database.execute("ROLLBACK")
                raise
            self._depth -= 1
            self._database.execute(f"RELEASE {name}" if self._depth else "COMMIT")

    def execute(self, statement: str, values: Iterable[Any] = ()) -> list[sqlite3.Row]:
        with self.lock:
            return self._database.execute(statement, tuple(values)).fetchall()

    def put(self, body: Json, *, due: int | None) -> None:
        """Insert or replace an object. `due` is the moment at which time alone will change it."""
        self.execute(
            "INSERT INTO objects (id, kind, customer, due, body) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE"
            " SET customer = excluded.customer, due = excluded.due, body = excluded.body",
            (body["id"], body["object"], body.get("customer"), due, json.dumps(body)),
        )

    def get(self, identifier: str) -> Json | None:
        rows = self.execute("SELECT body FROM objects WHERE id = ?", (identifier,))
        return json.loads(rows[0]["body"]) if rows else None

    def select(
        self,
        kind: str,
        *,
        where: str = "",
        values: Iterable[Any] = (),
        limit: int = -1,
        oldest_first: bool = False,
    ) -> list[Json]:
        """Objects of a kind that aren't deleted, the newest first. `where` is SQL that starts with AND."""
        rows = self.execute(
            f"SELECT body FROM objects WHERE kind = ? AND json_extract(body, '$.deleted') IS NULL {where}"
            f" ORDER BY seq {'ASC' if oldest_first else 'DESC'} LIMIT ?",
            (kind, *values, limit),
        )
        return [json.loads(row["body"]) for row in rows]

    def next_due(self, until: int, test_clock: str | None = None) -> Json | None:
        """The object whose time comes first, at or before `until`, with that moment as `due`.

        Of the customers of a test clock, or of those that have none.
        """
        clock = "json_extract(body, '$.test_clock')"
        clocked = f"SELECT id FROM objects WHERE kind = 'customer' AND {clock} IS NOT NULL"
        if test_clock:
            whose = f"customer IN ({clocked} AND {clock} = ?)"
        else:
            whose = f"(customer IS NULL OR customer NOT IN ({clocked}))"
        rows = self.execute(
            f"SELECT body, due FROM objects WHERE due <= ? AND {whose} ORDER BY due, seq LIMIT 1",
            (until, *([test_clock] if test_clock else [])),
        )
        return {**json.loads(rows[0]["body"]), "due": rows[0]["due"]} if rows else None

    def pending_deliveries(self, event: str) -> int:
        """How many deliveries of an event have not arrived."""
        rows = self.execute(
            "SELECT COUNT(*) AS waiting FROM deliveries WHERE event = ? AND state != 'delivered'", (event,)
        )
        return int(rows[0]["waiting"])

    def setting(self, name: str, default: Any) -> Any:
        rows = self.execute("SELECT value FROM settings WHERE name = ?", (name,))
        return json.loads(rows[0]["value"]) if rows else default

    def set_setting(self, name: str, value: Any) -> None:
        self.execute(
            "INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, json.dumps(value)),
        )

    def log_request(self, entry: Json) -> None:
        """Note an API request, and forget the oldest ones."""
        self.execute("INSERT INTO requests (body) VALUES (?)", (json.dumps(entry),))
        self.execute(
            "DELETE FROM requests WHERE seq <= (SELECT MAX(seq) FROM requests) - ?", (REQUESTS_KEPT,)
        )

    def clear(self, *tables: str) -> None:
        with self.transaction():
            for table in tables or TABLES:
                self.execute(f"DELETE FROM {table}")
