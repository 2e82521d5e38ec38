"""What programs ask for at fixed addresses."""

from datetime import UTC, datetime, timedelta

from django.conf import LazySettings
from django.test import Client
from django.utils import timezone


def test_the_icon_is_found_where_programs_look_for_it() -> None:
    answer = Client().get("/favicon.ico")
    assert answer.status_code == 302
    icon = Client().get(answer.headers["Location"])
    assert b"".join(icon)[:4] == b"\0\0\1\0", "no icon file"


def test_search_engines_are_asked_to_keep_to_the_start_page() -> None:
    answer = Client().get("/robots.txt")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.content.decode().splitlines() == ["User-agent: *", "Allow: /$", "Disallow: /"]


def test_who_finds_a_weakness_learns_where_to_report_it(settings: LazySettings) -> None:
    settings.SECURITY_CONTACT = "https://acme.test/security"
    answer = Client().get("/.well-known/security.txt")
    fields = dict(line.split(": ", 1) for line in answer.content.decode().splitlines())
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert fields["Contact"] == "https://acme.test/security"
    assert fields["Canonical"] == f"{settings.SITE_URL}/.well-known/security.txt"
    expires = datetime.fromisoformat(fields["Expires"]).astimezone(UTC)
    assert timedelta(days=30) < expires - timezone.now() < timedelta(days=365)


def test_the_support_address_takes_reports_unless_another_is_named(settings: LazySettings) -> None:
    assert (
        f"Contact: mailto:{settings.SUPPORT_EMAIL}"
        in Client().get("/.well-known/security.txt").content.decode()
    )
