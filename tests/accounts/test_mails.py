import re
from collections.abc import Iterator
from pathlib import Path

import allauth
import pytest
from allauth.account import app_settings
from allauth.account.models import EmailAddress
from allauth.mfa import app_settings as mfa_settings
from django.core.mail import EmailMultiAlternatives
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.mails import NOTICES, PLAIN_MAILS, UnknownMailError, send_plain
from accounts.models import User
from outbox.delivery import deliver_due
from outbox.models import OutgoingEmail, State
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

Mailbox = list[EmailMultiAlternatives]
LINK = re.compile(r"http://testserver(/\S+)")

# Sent by methods of their own, since the worker mints what is secret in them.
MINTED = {
    "account/email/email_confirmation",
    "account/email/email_confirmation_signup",
    "account/email/password_reset_key",
}
NEVER_SENT = {
    "account/email/base",
    "account/email/base_notification",
    "mfa/email/webauthn_added",
    "mfa/email/webauthn_removed",
}
CODES = {"account/email/login_code", "account/email/password_reset_code"}


def shipped_prefixes() -> Iterator[str]:
    """Of the mails that allauth brings templates for; social accounts aren't installed."""
    templates = Path(allauth.__file__).parent / "templates"
    for app in ("account", "mfa"):
        for template in templates.glob(f"{app}/email/*_message.txt"):
            yield str(template.relative_to(templates)).removesuffix("_message.txt")


def linked_path(mail: EmailMultiAlternatives, part: str) -> str:
    return next(path for path in LINK.findall(mail.body) if part in path)


def sign_up(client: Client, email: str) -> tuple[int, str]:
    response = client.post(
        reverse("account_signup"), {"email": email, "name": "Lee Park", "password1": "a sound password"}
    )
    return response.status_code, response.headers.get("Location", "")


@pytest.mark.slow
def test_every_mail_that_allauth_can_send_has_our_words() -> None:
    assert not app_settings.LOGIN_BY_CODE_ENABLED
    assert not app_settings.PASSWORD_RESET_BY_CODE_ENABLED
    assert not app_settings.EMAIL_VERIFICATION_BY_CODE_ENABLED
    assert set(mfa_settings.SUPPORTED_TYPES) == {"totp", "recovery_codes"}
    assert set(shipped_prefixes()) - NEVER_SENT - CODES == {*NOTICES, *PLAIN_MAILS, *MINTED}


@pytest.mark.parametrize("prefix", [*sorted(CODES), "account/email/news"])
def test_mail_without_words_of_ours_is_an_error(prefix: str) -> None:
    with pytest.raises(UnknownMailError):
        send_plain(prefix, "lee@ledger.test", {"code": "123456"})
    assert not OutgoingEmail.objects.exists()


@pytest.mark.parametrize("prefix", sorted({*NOTICES, *PLAIN_MAILS}))
def test_each_mail_reads_well_in_text_and_html(prefix: str, mailoutbox: Mailbox) -> None:
    context = {
        "timestamp": timezone.now(),
        "ip": "192.0.2.7",
        "user_agent": "<b>Browser</b> & Co",
        "from_email": "old@ledger.test",
        "to_email": "new@ledger.test",
        "deleted_email": "gone@ledger.test",
        "request": HttpRequest(),
        "signup_url": "https://evil.test/",
        "password_reset_url": "https://evil.test/",
    }
    send_plain(prefix, "lee@ledger.test", context)
    deliver_due()

    (mail,) = mailoutbox
    html = str(mail.alternatives[0][0])
    assert "\n" not in mail.subject.strip()
    assert mail.subject in html
    assert "evil" not in mail.body + html
    assert LINK.findall(mail.body)
    assert "%(" not in mail.body + html
    assert "{{" not in mail.body + html
    if prefix in NOTICES:
        assert "<b>Browser</b> & Co" in mail.body
        assert "&lt;b&gt;Browser&lt;/b&gt; &amp; Co" in html
        assert "192.0.2.7" in mail.body


def test_person_signs_up_and_confirms_by_the_mailed_link(client: Client, mailoutbox: Mailbox) -> None:
    status, location = sign_up(client, "lee@ledger.test")
    assert (status, location) == (302, reverse("account_email_verification_sent"))
    row = OutgoingEmail.objects.get()
    user = User.objects.get(email="lee@ledger.test")
    assert user.name == "Lee Park"
    assert row.params == {"email_address_id": EmailAddress.objects.get(user=user).pk}

    deliver_due()
    path = linked_path(mailoutbox[0], "confirm-email")
    assert path in str(mailoutbox[0].alternatives[0][0])
    client.get(path)
    assert not EmailAddress.objects.get(user=user).verified, "a GET changes nothing"
    client.post(path)
    assert EmailAddress.objects.get(user=user).verified


def test_sign_up_looks_the_same_for_a_known_address(mailoutbox: Mailbox) -> None:
    user = UserFactory()
    assert sign_up(Client(), user.email) == sign_up(Client(), "new@ledger.test")
    deliver_due()
    assert {mail.to[0]: mail.subject for mail in mailoutbox} == {
        user.email: "You already have an account",
        "new@ledger.test": "Confirm your email address",
    }


def test_password_is_reset_by_the_mailed_link(client: Client, mailoutbox: Mailbox) -> None:
    user = UserFactory()
    client.post(reverse("account_reset_password"), {"email": user.email})
    assert OutgoingEmail.objects.get().params == {"user_id": str(user.pk)}
    deliver_due()

    form = client.get(linked_path(mailoutbox[0], "reset/key"), follow=True)
    client.post(
        form.redirect_chain[-1][0], {"password1": "another sound one", "password2": "another sound one"}
    )
    user.refresh_from_db()
    assert user.check_password("another sound one")
    deliver_due()
    assert [mail.subject for mail in mailoutbox] == ["Set a new password", "Your password was reset"]


def test_password_reset_looks_the_same_for_an_unknown_address(mailoutbox: Mailbox) -> None:
    user = UserFactory()
    answers = [
        Client().post(reverse("account_reset_password"), {"email": email})
        for email in (user.email, "nobody@ledger.test")
    ]
    assert {(answer.status_code, answer.headers["Location"]) for answer in answers} == {
        (302, reverse("account_reset_password_done"))
    }
    deliver_due()
    assert {mail.to[0]: mail.subject for mail in mailoutbox} == {
        user.email: "Set a new password",
        "nobody@ledger.test": "There is no account with this address",
    }


def test_no_mail_goes_to_an_address_that_was_given_up_meanwhile(client: Client, mailoutbox: Mailbox) -> None:
    user = UserFactory()
    client.post(reverse("account_reset_password"), {"email": user.email})
    EmailAddress.objects.filter(user=user).update(email="new@ledger.test")
    User.objects.filter(pk=user.pk).update(email="new@ledger.test")
    sign_up(client, "lee@ledger.test")
    EmailAddress.objects.filter(email="lee@ledger.test").update(verified=True)

    deliver_due()
    assert mailoutbox == []
    assert set(OutgoingEmail.objects.values_list("state", flat=True)) == {State.DROPPED}


def test_changed_password_is_told_to_its_owner(client: Client, mailoutbox: Mailbox) -> None:
    user = UserFactory()
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    client.post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": "another sound one", "password2": "another sound one"},
        HTTP_USER_AGENT="Firefox",
    )
    deliver_due()
    (mail,) = mailoutbox
    assert mail.to == [user.email]
    assert "Firefox" in mail.body
    assert "127.0.0.1" in mail.body


@pytest.mark.parametrize("name", ["", "x" * 81, "Lee\u202ePark", "see https://evil.test/"])
def test_sign_up_needs_a_name_that_people_can_read(client: Client, name: str) -> None:
    response = client.post(
        reverse("account_signup"),
        {"email": "lee@ledger.test", "name": name, "password1": "a sound password"},
    )
    assert response.status_code == 200
    assert response.context["form"].errors.keys() == {"name"}
    assert not User.objects.exists()
    assert not OutgoingEmail.objects.exists()
