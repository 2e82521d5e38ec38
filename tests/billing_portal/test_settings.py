"""What a deployment sets, and what it can't get wrong unnoticed."""

import runpy
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def settings_with(monkeypatch: pytest.MonkeyPatch, **environment: str) -> dict[str, object]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(Path(settings.BASE_DIR) / "billing_portal" / "settings.py"))


def test_options_of_the_database_url_hold_beside_the_time_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "postgres://portal:secret@db.example.test/portal?sslmode=verify-full"
    databases = settings_with(monkeypatch, DATABASE_URL=url)["DATABASES"]
    assert databases["default"]["OPTIONS"] == {
        "options": "-c statement_timeout=15000 -c lock_timeout=5000",
        "sslmode": "verify-full",
    }


@pytest.mark.parametrize("name", ["INVITATION_SIGNING_KEYS", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"])
def test_an_empty_secret_stops_the_start(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=name):
        settings_with(monkeypatch, **{name: ""})


def test_invitations_are_signed_with_a_key_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImproperlyConfigured, match="INVITATION_SIGNING_KEYS"):
        settings_with(monkeypatch, SECRET_KEY="one", INVITATION_SIGNING_KEYS="other,one")
