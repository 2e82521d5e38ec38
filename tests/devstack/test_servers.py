"""PostgreSQL and Valkey of our own, or the caller's."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
import redis

from devstack.messages import StackError
from devstack.postgres import Postgres, program_of, remembered_elsewhere
from devstack.servers import Servers
from devstack.services import SharedServices
from devstack.valkey import Valkey


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """One pair for all tests here, in a folder where PostgreSQL's own user can come."""
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory(dir="/var/tmp") as directory:
        for name in ("DATABASE_URL", "REDIS_URL", "POSTGRES_BIN"):
            patch.delenv(name, raising=False)
        Path(directory).chmod(0o755)
        servers = Servers(Path(directory), durable=False)
        yield servers
        servers.remove()


def postgres_of(servers: Servers) -> Postgres:
    assert servers.postgres is not None
    return servers.postgres


def valkey_of(servers: Servers) -> Valkey:
    assert servers.valkey is not None
    return servers.valkey


def ask(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()  # type: ignore[arg-type]  # a literal, in each caller
    assert row is not None
    return row[0]


@pytest.mark.slow
def test_data_and_ports_outlive_a_restart(servers: Servers) -> None:
    servers.start()
    url, redis_url = servers.database_url("kept"), servers.redis_url()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE note AS SELECT 'É' AS words")
    redis.from_url(redis_url).set("note", "kept")
    servers.stop()
    servers.start()
    assert (servers.database_url("kept"), servers.redis_url()) == (url, redis_url)
    assert ask(url, "SELECT lower(words) FROM note") == "é"
    assert redis.from_url(redis_url).get("note") == b"kept"


def test_others_on_the_machine_need_the_password(servers: Servers) -> None:
    servers.start()
    postgres, valkey = postgres_of(servers), valkey_of(servers)
    secret = (postgres.directory / "password").read_text()
    with pytest.raises(psycopg.OperationalError, match="password"):
        ask(postgres.url("postgres").replace(secret, "guess"), "SELECT 1")
    with pytest.raises(redis.AuthenticationError):
        redis.from_url(valkey.url().replace((valkey.directory / "password").read_text(), "guess")).ping()
    assert (postgres.directory / "password").stat().st_mode & 0o077 == 0
    assert ask(postgres.url("postgres"), "SHOW listen_addresses") == "127.0.0.1"


def test_postgres_starts_again_after_it_was_killed_hard(servers: Servers) -> None:
    postgres = postgres_of(servers)
    postgres.start()
    os.kill(int((postgres.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    while postgres.is_running():
        pass
    postgres.start()
    assert ask(postgres.url("postgres"), "SELECT 1") == 1


@pytest.mark.slow
def test_record_that_names_another_program_does_not_keep_postgres_from_starting(servers: Servers) -> None:
    postgres = postgres_of(servers)
    postgres.start()
    record = postgres.data / "postmaster.pid"
    lines = record.read_text().splitlines()
    postgres.stop()
    stranger = subprocess.Popen(["sleep", "60"], user=postgres.account.user, group=postgres.account.group)
    record.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
    postgres.account.give(record)
    assert not postgres.is_running()
    postgres.start()
    assert ask(postgres.url("postgres"), "SELECT 1") == 1
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_program_that_is_dead_but_still_listed_is_not_running() -> None:
    dead = subprocess.Popen(["true"])
    os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)
    assert program_of(dead.pid) == "dead"
    dead.wait()
    assert program_of(dead.pid) == ""
    assert program_of(os.getpid()) != ""


def test_another_program_on_the_remembered_port_is_left_alone(servers: Servers) -> None:
    postgres, valkey = postgres_of(servers), valkey_of(servers)
    postgres.stop()
    valkey.start()
    (postgres.directory / "port").write_text((valkey.directory / "port").read_text())
    postgres.start()
    assert ask(postgres.url("postgres"), "SELECT 1") == 1


@pytest.mark.slow
def test_closed_folder_and_half_made_data_do_not_matter(newcomer: None, tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    postgres = Postgres(private / "postgres", durable=False)
    killed_while_it_was_made = postgres.data.with_suffix(".unfinished")
    killed_while_it_was_made.mkdir(parents=True)
    (killed_while_it_was_made / "PG_VERSION").write_text("18\n")
    try:
        postgres.start()
        assert ask(postgres.url("postgres"), "SELECT 1") == 1
        elsewhere = remembered_elsewhere(private / "postgres")
        assert (elsewhere is not None) == (os.geteuid() == 0)
    finally:
        postgres.remove()
    assert elsewhere is None or not elsewhere.exists()


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none", "The database in DATABASE_URL can't be used"),
        ("DATABASE_URL", "nonsense", "The database in DATABASE_URL can't be used"),
        ("REDIS_URL", "redis://127.0.0.1:1", "The server in REDIS_URL can't be used"),
        ("REDIS_URL", "nonsense", "The server in REDIS_URL can't be used"),
    ],
)
def test_address_that_does_not_answer_is_named(
    servers: Servers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    sentence: str,
) -> None:
    servers.start()
    monkeypatch.setenv("DATABASE_URL", servers.database_url("postgres"))
    monkeypatch.setenv("REDIS_URL", servers.redis_url())
    Servers(tmp_path / "given", durable=False).start()
    monkeypatch.setenv(variable, value)
    with pytest.raises(StackError, match=f"^{sentence}") as refused:
        Servers(tmp_path / "given", durable=False).start()
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "given").exists()


def test_folder_without_postgres_is_refused(
    newcomer: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTGRES_BIN", str(tmp_path))
    with pytest.raises(StackError, match="does not hold initdb, pg_ctl, postgres"):
        Servers(tmp_path, durable=False)


@pytest.mark.slow
def test_last_test_run_stops_the_servers_and_one_started_by_hand_keeps_them(
    newcomer: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUN_DIR", str(tmp_path))
    first, second = SharedServices(), SharedServices()
    with first.in_use():
        with second.in_use():
            pass
        assert postgres_of(first.servers).is_running()
        with pytest.raises(StackError, match="A test run uses the servers"):
            second.forget()
    assert not postgres_of(first.servers).is_running()
    assert not valkey_of(first.servers).process.is_running()

    first = SharedServices()
    first.keep()
    with SharedServices().in_use():
        pass
    assert postgres_of(first.servers).is_running()
    first.forget()
    assert not postgres_of(first.servers).is_running()
