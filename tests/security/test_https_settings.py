"""What an https site sets, asked of a process that starts with such an environment."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

SCRIPT = """
import json, django
django.setup()
from django.conf import settings
from django.test import Client
# Files are collected when the image is built, not for this test.
settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
hosts = settings.ALLOWED_HOSTS
answers = {}
for name, secure, url, headers in [
    ("plain", False, "/accounts/login/", {}),
    ("alive", False, "/healthz", {}),
    ("claimed", False, "/accounts/login/", {"X-Forwarded-Proto": "https"}),
    ("secure", True, "/healthz", {}),
    ("wrong host", True, "/healthz", {"host": "evil.test"}),
    ("no debug pages", True, "/dev/mail/?format=json", {}),
    ("no style guide", True, "/dev/style/", {}),
]:
    response = Client(headers={"host": hosts[0]}).get(url, headers=headers, secure=secure)
    answers[name] = [response.status_code, dict(response.headers)]
names = [name for name in dir(settings) if "COOKIE" in name or name.startswith("SECURE_")]
told = {"hosts": hosts, "origins": settings.CSRF_TRUSTED_ORIGINS, "debug": settings.DEBUG}
told |= {"answers": answers, "settings": {name: getattr(settings, name) for name in names}}
print(json.dumps(told, default=str))
"""


NOT_DEPLOYED = {"DEBUG", "DEVELOPMENT", "ALLOWED_HOSTS", "BEHIND_PROXY", "TRUSTED_PROXY_COUNT"}


def started(**environment: str) -> dict[str, Any]:
    variables = {name: value for name, value in os.environ.items() if name not in NOT_DEPLOYED}
    variables |= {
        "SITE_URL": "https://billing.ledger.test",
        "DJANGO_SETTINGS_MODULE": "billing_portal.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**variables, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.fixture(scope="module")
def site() -> dict[str, Any]:
    return started()


@pytest.mark.slow
def test_debugging_is_off_and_its_pages_are_gone(site: dict[str, Any]) -> None:
    assert site["debug"] is False
    assert site["answers"]["no debug pages"][0] == 404
    assert site["answers"]["no style guide"][0] == 404


def test_cookies_belong_to_this_host_alone_and_to_no_script(site: dict[str, Any]) -> None:
    settings = site["settings"]
    for cookie in ("SESSION", "CSRF"):
        assert settings[f"{cookie}_COOKIE_NAME"].startswith("__Host-")
        # What the prefix asks for, else browsers drop the cookie.
        assert settings[f"{cookie}_COOKIE_SECURE"] is True
        assert settings[f"{cookie}_COOKIE_PATH"] == "/"
        assert settings[f"{cookie}_COOKIE_DOMAIN"] is None
        assert settings[f"{cookie}_COOKIE_HTTPONLY"] is True
        assert settings[f"{cookie}_COOKIE_SAMESITE"] == "Lax"


def test_plain_http_is_redirected_and_protected(site: dict[str, Any]) -> None:
    status, headers = site["answers"]["plain"]
    assert status == 301
    assert headers["Location"] == "https://billing.ledger.test/accounts/login/"
    assert headers["X-Frame-Options"] == "DENY"
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert site["answers"]["alive"][0] == 200


def test_a_header_alone_makes_no_request_secure(site: dict[str, Any]) -> None:
    assert site["answers"]["claimed"][0] == 301
    assert site["settings"]["SECURE_PROXY_SSL_HEADER"] is None


def test_browsers_come_back_by_https_for_a_year(site: dict[str, Any]) -> None:
    value = site["answers"]["secure"][1]["Strict-Transport-Security"]
    assert "max-age=31536000" in value
    assert "includeSubDomains" in value


def test_one_host_and_one_origin_are_ours(site: dict[str, Any]) -> None:
    assert site["hosts"] == ["billing.ledger.test"]
    assert site["origins"] == ["https://billing.ledger.test"]
    status, headers = site["answers"]["wrong host"]
    assert status == 400
    assert headers["X-Frame-Options"] == "DENY"
