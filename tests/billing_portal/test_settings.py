"""What a deployment sets, and what it can't get wrong unnoticed."""

import runpy
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection


def settings_with(monkeypatch: pytest.MonkeyPatch, **environment: str) -> dict[str, object]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(Path(settings.BASE_DIR) / "billing_portal" / "settings.py"))


def test_options_of_the_database_url_hold_beside_the_time_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "postgres://portal:secret@db.example.test/portal?sslmode=verify-full"
    databases = settings_with(monkeypatch, DATABASE_URL=url)["DATABASES"]
    assert databases["default"]["OPTIONS"] == {
        "options": "-c statement_timeout=15000 -c lock_timeout=5000",
        "server_side_binding": True,
        "prepare_threshold": 3,
        "sslmode": "verify-full",
    }


def test_nothing_is_prepared_where_a_pooler_can_not_keep_it(monkeypatch: pytest.MonkeyPatch) -> None:
    database = settings_with(monkeypatch, DATABASE_PREPARE="off")["DATABASES"]["default"]
    assert not database["OPTIONS"]["server_side_binding"]
    assert database["OPTIONS"]["prepare_threshold"] is None
    assert database["DISABLE_SERVER_SIDE_CURSORS"]


def test_reports_are_read_from_a_replica_where_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.REPORTS_DATABASE == "default"
    assert set(settings.DATABASES) == {"default"}
    url = "postgres://portal:secret@replica.example.test/portal"
    found = settings_with(monkeypatch, DATABASE_REPLICA_URL=url)
    assert found["REPORTS_DATABASE"] == "replica"
    database = found["DATABASES"]["replica"]
    assert database["HOST"] == "replica.example.test"
    assert database["OPTIONS"]["connect_timeout"] == 2


def test_postgres_prepares_what_is_asked_again(db: None) -> None:
    with connection.cursor() as cursor:
        for number in range(5):
            cursor.execute("SELECT %s::int AS asked_again", [number])
        cursor.execute("SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%asked_again%'")
        assert cursor.fetchall() == [("SELECT $1::int AS asked_again",)]


@pytest.mark.parametrize("name", ["INVITATION_SIGNING_KEYS", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"])
def test_an_empty_secret_stops_the_start(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=name):
        settings_with(monkeypatch, **{name: ""})


def test_invitations_are_signed_with_a_key_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImproperlyConfigured, match="INVITATION_SIGNING_KEYS"):
        settings_with(monkeypatch, SECRET_KEY="one", INVITATION_SIGNING_KEYS="other,one")
