"""What opens an account or an invitation lies in no table, no queue and no log."""

import io
import logging
import re
from collections.abc import Iterator

import pytest
import redis
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.test import Client
from django.urls import reverse

from billing_portal.logging import log_config
from invitations.models import Invitation
from orgs.models import Membership
from outbox.delivery import deliver_due
from outbox.tasks import deliver_written
from tests.conftest import SignIn
from tests.factories import PASSWORD
from tests.invitations.claims import by_mail
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import accept
from tests.invitations.test_invitee import path_of, sign_up
from work.doorbell import Doorbell

pytestmark = pytest.mark.django_db

LINK = re.compile(r"/(?:invitations|confirm-email|password/reset/key)/([^/\s\"]+)")


def whole_database() -> str:
    """Every row of every table, as text; what sessions hold signed is read, too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        rows = []
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            rows += [text for (text,) in cursor.fetchall()]
    sessions = [str(session.get_decoded()) for session in apps.get_model("sessions.Session").objects.all()]
    return "\n".join(rows + sessions)


def ask_for_reset(mailoutbox: list[EmailMultiAlternatives], email: str) -> str:
    """The path in the mail that lets a person choose a new password."""
    Client().post(reverse("account_reset_password"), {"email": email})
    deliver_due()
    path = re.search(r"/accounts/password/reset/key/\S+", str(mailoutbox[-1].body))
    assert path is not None
    return path[0]


def reset_password(client: Client, path: str, password: str) -> None:
    opened = client.get(path, follow=True)
    form = opened.redirect_chain[-1][0] if opened.redirect_chain else path
    client.post(form, {"password1": password, "password2": password})


def activate_second_factor(client: Client) -> tuple[str, list[str]]:
    """The key and the recovery codes."""
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    form = client.get(reverse("mfa_activate_totp"))
    secret = str(form.context["form"].secret)
    code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
    client.post(reverse("mfa_activate_totp"), {"code": code})
    client.post(reverse("mfa_generate_recovery_codes"))
    codes = client.get(reverse("mfa_view_recovery_codes")).context["unused_codes"]
    return secret, list(codes)


@pytest.mark.slow
def test_nothing_that_opens_anything_lies_in_the_database(
    admin: Membership, sign_in: SignIn, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    cache.clear()
    inviting, slug = sign_in(admin), admin.organization.slug
    for email in ("lee@ledger.test", "kim@ledger.test"):
        inviting.post(reverse("managers_invite", args=[slug]), {"email": email})
    inviting.post(reverse("managers_link", args=[slug]))
    waiting = Invitation.objects.get(email="kim@ledger.test")
    inviting.post(reverse("invitation_copy_link", args=[slug, waiting.pk]), {"generation": 1})
    deliver_due()
    Client().get(LINK.search(str(mailoutbox[0].body))[0] + "/")  # type: ignore[index]
    invited = Client()
    sent = Invitation.objects.get(email="lee@ledger.test")
    invited.get(path_of(by_mail(sent)))
    sign_up(invited, "lee@ledger.test")
    accept(invited, sent)
    sign_up(Client(), "new@ledger.test")
    deliver_due()
    key, codes = activate_second_factor(inviting)
    ask_for_reset(mailoutbox, "lee@ledger.test")
    assert Authenticator.objects.filter(user=admin.user).count() == 2

    links = {token for mail in mailoutbox for token in LINK.findall(str(mail.body))}
    secrets = {*links, key, *codes, PASSWORD, "a long enough pass phrase"}
    assert len(links) == 4, "two invitations, a confirmation, a reset"
    assert len(codes) >= 5
    database = whole_database()
    assert "lee@ledger.test" in database, "else the dump would be none"
    found = {secret for secret in secrets if secret in database}
    assert not found


def test_what_a_reset_leaves_in_the_session_is_spent(
    admin: Membership, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    """allauth keeps the key of an opened link in the session, as Django does: used, it opens nothing."""
    path = ask_for_reset(mailoutbox, admin.user.email)
    reader, thief = Client(), Client()
    reset_password(reader, path, "another sound one")
    for client in (thief, reader):
        reset_password(client, path, "a thief's password")
    admin.user.refresh_from_db()
    assert admin.user.check_password("another sound one")


def test_a_ring_carries_an_id_and_nothing_else() -> None:
    """The message in Redis, as whoever reads Redis sees it."""
    queue = redis.Redis.from_url(settings.REDIS_URL)
    queue.delete("celery")
    bell = Doorbell()
    bell.ring({deliver_written: ["5ffb9d6e-9e3d-4c9c-9f44-0c3b4f6a8f55"]})
    bell.finish()
    (message,) = queue.lrange("celery", 0, -1)
    queue.delete("celery")
    text = message.decode()
    assert "outbox.deliver" in text
    for name in ("token", "email", "password", "invitations/"):
        assert name not in text


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the process writes to its log, formatted as in production, at the most talkative level."""
    stream = io.StringIO()
    settings_of = dict(log_config(requests=True)["formatters"]["json"])
    formatter = settings_of.pop("()")(**settings_of)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    level = root.level
    talkative = [
        logging.getLogger(name) for name in ("django_structlog", "django", "orgs", "invitations", "outbox")
    ]
    levels = [logger.level for logger in talkative]
    root.addHandler(handler)
    for logger in (root, *talkative):
        logger.setLevel(logging.DEBUG)
    logging.getLogger("django.db.backends").setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)
    for logger, before in zip(talkative, levels, strict=True):
        logger.setLevel(before)


def test_no_log_tells_a_secret(
    log: io.StringIO, admin: Membership, sign_in: SignIn, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    cache.clear()
    path = path_of(by_mail(InvitationFactory(organization=admin.organization)))
    token = path.split("/")[2]
    client = Client()
    client.get(path)
    client.get(path, headers={"Referer": f"http://testserver{path}", "User-Agent": path})
    client.get(path.replace(token, token + "x"))
    client.post(path)
    client.get(f"{path}?next={path}")
    client.get(f"/nothing{path}")
    sign_up(client, "new@ledger.test")
    client.post("/accounts/login/", {"login": admin.user.email, "password": "a wrong secret guess"})
    reset = ask_for_reset(mailoutbox, admin.user.email)
    reset_password(client, reset, "another sound one")
    reset_key = reset.split("/")[-2]
    written = log.getvalue()
    assert "/invitations/" in written, "else nothing was logged that could tell"
    secrets = (
        token,
        reset_key,
        PASSWORD,
        "a wrong secret guess",
        "another sound one",
        "sk_test",
        settings.SECRET_KEY,
    )
    assert not {secret for secret in secrets if secret in written}


def test_a_line_break_makes_no_second_line_in_a_log(log: io.StringIO) -> None:
    before = log.getvalue().count("\n")
    Client().get('/no\n{"event": "forged"}/such\x1b[31m/page', headers={"User-Agent": "x\n{}"})
    lines = log.getvalue().splitlines()[before:]
    assert lines
    assert all(line.startswith("{") and '"logger"' in line for line in lines)
    assert "\x1b" not in log.getvalue()
