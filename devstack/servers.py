"""PostgreSQL and Valkey together: the caller's where `DATABASE_URL` or `REDIS_URL` is given, else our own."""

import os
import shutil
from pathlib import Path

import psycopg
import redis
from psycopg import sql

from devstack.messages import StackError
from devstack.postgres import Postgres
from devstack.postgres_binaries import FLOOR
from devstack.valkey import Valkey

ANSWER_SECONDS = 5


class Servers:
    """A pair of servers with data below `directory`."""

    def __init__(self, directory: Path, *, durable: bool) -> None:
        self.given_database = os.environ.get("DATABASE_URL", "")
        self.given_redis = os.environ.get("REDIS_URL", "")
        self.postgres = None if self.given_database else Postgres(directory / "postgres", durable=durable)
        self.valkey = None if self.given_redis else Valkey(directory / "valkey")

    def start(self) -> None:
        """Start what is ours unless it runs, and see that what is given answers."""
        if self.postgres:
            self.postgres.start()
        else:
            check_database(self.given_database)
        if self.valkey:
            self.valkey.start()
        else:
            check_redis(self.given_redis)

    def stop(self) -> None:
        """Stop what is ours; clients that are still connected are cut off."""
        if self.valkey:
            self.valkey.stop()
        if self.postgres:
            self.postgres.stop()

    def remove(self) -> None:
        """Stop what is ours and delete its data."""
        self.stop()
        if self.valkey:
            shutil.rmtree(self.valkey.directory, ignore_errors=True)
        if self.postgres:
            self.postgres.remove()

    def database_url(self, name: str) -> str:
        """The database `name` on our server, made when it's missing; or the one that was given."""
        if not self.postgres:
            return self.given_database
        with psycopg.connect(self.postgres.url("postgres"), autocommit=True) as connection:
            exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if not exists:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.postgres.url(name)

    def redis_url(self, database: int = 0) -> str:
        return self.valkey.url(database) if self.valkey else self.given_redis


def check_database(url: str) -> None:
    try:
        with psycopg.connect(url, connect_timeout=ANSWER_SECONDS) as connection:
            version = connection.info.server_version // 10_000
    except psycopg.Error as error:
        raise StackError(f"The database in DATABASE_URL can't be used: {first_line(error)}.") from error
    if version < FLOOR:
        raise StackError(f"The database in DATABASE_URL is PostgreSQL {version}; {FLOOR} or later is needed.")


def check_redis(url: str) -> None:
    try:
        with redis.from_url(
            url, socket_connect_timeout=ANSWER_SECONDS, socket_timeout=ANSWER_SECONDS
        ) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        raise StackError(f"The server in REDIS_URL can't be used: {first_line(error)}.") from error


def first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
