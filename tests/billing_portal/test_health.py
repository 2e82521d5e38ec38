"""Liveness asks nothing; readiness lets the database alone decide; pages don't need Redis."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connections
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from bench.statements import sent_statements
from billing_portal import health
from invitations.models import Invitation
from orgs.models import Membership
from outbox.models import OutgoingEmail, State
from tests.conftest import SignIn
from tests.races import at_once
from tests.redis_server import RedisServer


def ready() -> tuple[int, dict[str, object]]:
    response = Client().get(reverse("readyz"))
    return response.status_code, response.json()


def test_the_process_is_alive_without_a_database() -> None:
    assert Client().get(reverse("healthz")).content == b"ok"


@pytest.mark.django_db
def test_ready_with_database_and_broker(redis_server: RedisServer) -> None:
    assert ready() == (200, {"status": "ok", "database": "ok", "broker": "ok", "outbox_lag_seconds": 0})


@pytest.mark.slow
@pytest.mark.django_db
def test_ready_but_degraded_without_the_broker(redis_server: RedisServer) -> None:
    redis_server.stop()
    status, answer = ready()
    assert status == 200
    assert (answer["status"], answer["broker"]) == ("degraded", "unreachable")


@pytest.mark.django_db
def test_ready_but_degraded_while_mails_wait(redis_server: RedisServer) -> None:
    long_ago = Now() - timedelta(seconds=2 * health.LAG_SECONDS)
    OutgoingEmail.objects.create(
        kind="role_changed",
        to="a@example.test",
        dedupe_key="waits",
        message_id="<1@x>",
        next_attempt_at=long_ago,
    )
    status, answer = ready()
    assert status == 200
    assert answer["status"] == "degraded"
    assert answer["outbox_lag_seconds"] == pytest.approx(2 * health.LAG_SECONDS, abs=5)


@pytest.mark.django_db
def test_not_ready_without_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*args: object) -> None:
        raise OperationalError

    monkeypatch.setattr(health, "MigrationExecutor", unreachable)
    assert ready() == (503, {"status": "unavailable", "database": "unreachable"})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("cookie", ["", "a" * 32], ids=["nobody", "with a session"])
def test_the_probes_answer_while_postgres_is_away(
    cookie: str, admin: Membership, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = sign_in(admin) if cookie else Client()
    # Threads connect anew: to a port where nobody listens.
    monkeypatch.setitem(connections.settings["default"], "PORT", "1")

    def probe(name: str) -> tuple[int, bytes]:
        answer = client.get(reverse(name))
        return answer.status_code, answer.content

    alive, ready = at_once(lambda: probe("healthz"), lambda: probe("readyz"))
    assert alive == (200, b"ok")
    assert ready == (503, b'{"status": "unavailable", "database": "unreachable"}')


@pytest.mark.django_db
def test_a_probe_looks_for_no_session(admin: Membership, sign_in: SignIn) -> None:
    client = sign_in(admin)
    with sent_statements() as statements:
        assert client.get(reverse("healthz")).content == b"ok"
    assert statements == []
    with sent_statements() as statements:
        client.get(reverse("readyz"))
    assert not [statement for statement in statements if "session" in str(statement)]


@pytest.mark.django_db
def test_a_probe_is_only_asked() -> None:
    for name in ("healthz", "readyz"):
        assert Client().post(reverse(name)).status_code == 405
        assert Client().head(reverse(name)).status_code == 200


@pytest.mark.django_db
def test_not_ready_before_the_migrations_ran(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda *_args: ["one"])
    assert ready() == (503, {"status": "unavailable", "database": "migrations pending"})


@pytest.mark.django_db(transaction=True)
def test_pages_and_invitations_work_while_redis_is_down(
    admin: Membership, sign_in: SignIn, redis_server: RedisServer
) -> None:
    redis_server.stop()
    client = sign_in(admin)
    slug = admin.organization.slug
    for name in ("dashboard", "members", "billing", "audit_log"):
        assert client.get(reverse(name, args=[slug])).status_code == 200
    answer = client.post(reverse("managers_invite", args=[slug]), {"email": "lee@ledger.test"})
    assert answer.status_code == 302
    assert Invitation.objects.pending().count() == 1
    assert OutgoingEmail.objects.get(kind="invitation_sent").state == State.QUEUED
