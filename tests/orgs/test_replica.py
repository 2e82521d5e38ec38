"""Where reports are read."""

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from django.db import connection

from orgs import replica
from orgs.replica import may_lag, reading
from tests.replica import replica_at

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replica, "_absence", replica.Absence())


@pytest.fixture
def closed_port() -> Iterator[int]:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def alias() -> str:
    return reading().alias


def test_without_a_replica_all_is_read_from_the_primary() -> None:
    assert may_lag(alias) == ("default", None)


def test_the_primary_answers_for_one_that_is_down_and_nobody_asks_it_again_for_a_while(
    closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []
    ask = replica._last_commit_seen
    monkeypatch.setattr(replica, "_last_commit_seen", lambda: tries.append(1) or ask())
    with replica_at(closed_port):
        assert [may_lag(alias) for _time in range(3)] == [("default", None)] * 3
        assert len(tries) == 1
        monkeypatch.setattr(replica.time, "monotonic", lambda: replica._absence.until)
        may_lag(alias)
        assert len(tries) == 2


def test_a_server_that_follows_none_is_no_replica() -> None:
    """After a failover, the old address may lead to the primary, or to one that nobody feeds."""
    with replica_at(int(connection.settings_dict["PORT"])):
        assert may_lag(alias) == ("default", None)


def test_an_error_of_our_own_is_no_reason_to_ask_twice() -> None:
    def fail() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        may_lag(fail)
    assert alias() == "default"
