"""What opens something reaches no log."""

import logging
import uuid
from urllib.parse import quote

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from invitations.claims import Channel, Claim, link, mint
from tests.invitations.factories import InvitationFactory
from tokens.secret import OF_PERSON, new_secret


def written(record: logging.LogRecord) -> str:
    formatter = settings.LOGGING["formatters"]["json"]
    return formatter["()"](
        foreign_pre_chain=formatter["foreign_pre_chain"], processors=formatter["processors"]
    ).format(record)


@pytest.mark.parametrize(
    "path",
    [
        "/invitations/mSECRET.sig/",
        "/accounts/confirm-email/SECRET/",
        "/accounts/password/reset/key/SECRET-x/",
    ],
)
def test_an_access_log_line_drops_the_token(path: str) -> None:
    line = logging.LogRecord(
        "django.server", logging.INFO, "", 0, '"%s" %s', (f"GET {path} HTTP/1.1", "302"), None
    )
    assert "SECRET" not in written(line)
    assert "302" in written(line)


def test_what_staff_paste_into_the_search_is_dropped() -> None:
    secret, token = new_secret(OF_PERSON), mint(Claim(uuid.uuid4(), 1, Channel.MAIL))
    pasted = quote(f"https://portal.test/invitations/{token}/ {secret}", safe="")
    line = logging.LogRecord(
        "django.server", logging.INFO, "", 0, "%s", (f"GET /admin/?find={pasted}",), None
    )
    assert token not in written(line)
    assert secret not in written(line)


@pytest.mark.django_db
def test_the_request_log_drops_the_token(caplog: pytest.LogCaptureFixture) -> None:
    invitation = InvitationFactory()
    url = link(Claim(invitation.pk, invitation.generation, Channel.MAIL)).removeprefix(settings.SITE_URL)
    token = url.strip("/").split("/")[-1]
    with caplog.at_level(logging.INFO, logger="django_structlog"):
        Client().get(url)
        Client().get(reverse("dashboard", args=["x"]))
    lines = [written(record) for record in caplog.records]
    assert any("/invitations/[cut]" in line for line in lines)
    assert not any(token in line for line in lines)
