"""The mails of sign-in and account security. What opens an account is minted here, in the worker, while a
mail is written, so that it lies in no row and in no queue.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.account import app_settings
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, override
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.templatetags.browsers import browser
from outbox.models import OutgoingEmail
from outbox.registry import MailKind, NoLongerNeeded, RenderedMail
from outbox.rendering import render_mail
from outbox.services import enqueue


class UnknownMailError(LookupError):
    """allauth wants to send a mail that this portal has no words for."""


@dataclass(frozen=True)
class Notice:
    """Tells a person that their account changed. ``sentence``: a %-format over the mail's params."""

    subject: Promise
    sentence: Promise


# By the prefix of allauth's templates.
NOTICES = {
    "account/email/email_changed": Notice(
        _("Your email address was changed"),
        _("The email address of your account was changed from %(from_email)s to %(to_email)s."),
    ),
    "account/email/email_confirm": Notice(
        _("Your email address is confirmed"), _("The email address of your account was confirmed.")
    ),
    "account/email/email_deleted": Notice(
        _("An email address was removed"),
        _("The email address %(deleted_email)s was removed from your account."),
    ),
    "account/email/password_changed": Notice(
        _("Your password was changed"),
        _(
            "The password of your account was changed. "
            "Your personal access tokens and connected programs ended with it."
        ),
    ),
    "account/email/password_reset": Notice(
        _("Your password was reset"),
        _(
            "The password of your account was reset through a mailed link. "
            "Your personal access tokens and connected programs ended with it."
        ),
    ),
    "account/email/password_set": Notice(
        _("Your account has a password now"),
        _(
            "A password was set for your account. "
            "Your personal access tokens and connected programs ended with it."
        ),
    ),
    "mfa/email/totp_activated": Notice(
        _("Two-step sign-in is on"), _("An authenticator app was added to your account.")
    ),
    "mfa/email/totp_deactivated": Notice(
        _("Two-step sign-in is off"),
        _("The authenticator app was removed from your account: the password alone signs in now."),
    ),
    "mfa/email/recovery_codes_generated": Notice(
        _("You have new recovery codes"),
        _("New recovery codes were made for your account. The older ones no longer work."),
    ),
}
NOTICE_PARAMS = ("from_email", "to_email", "deleted_email")


def send_plain(template_prefix: str, to: str, context: dict[str, Any]) -> None:
    """Put one of allauth's mails that need no secret into the outbox. Raises UnknownMailError."""
    if template_prefix in NOTICES:
        _enqueue(
            ACCOUNT_NOTICE_MAIL,
            to,
            notice=template_prefix,
            at=context["timestamp"].isoformat(),
            ip=context["ip"],
            user_agent=context["user_agent"],
            **{name: context[name] for name in NOTICE_PARAMS if name in context},
        )
    elif template_prefix in PLAIN_MAILS:
        _enqueue(PLAIN_MAILS[template_prefix], to)
    else:
        raise UnknownMailError(template_prefix)


def send_confirmation(email_address: EmailAddress) -> None:
    """Mail a link that proves the address."""
    _enqueue(EMAIL_CONFIRMATION_MAIL, email_address.email, email_address_id=email_address.pk)


def send_password_reset(user: AbstractBaseUser, to: str) -> None:
    """Mail a link that lets the person choose a new password."""
    _enqueue(PASSWORD_RESET_MAIL, to, user_id=str(user.pk))


def _enqueue(kind: MailKind, to: str, **params: str | int) -> None:
    # Each request is a mail of its own: allauth's rate limits decide how many there may be.
    with transaction.atomic():
        enqueue(kind, to=to, dedupe_key=f"{kind.code}:{uuid.uuid4()}", organization_id=None, **params)


def tell_of_deleted_account(user: User) -> None:
    """Confirm it, to the address that was the account's, in the language that was the person's."""
    _enqueue(ACCOUNT_DELETED_MAIL, user.email, language=user.reader.known_language)


def _link(name: str, **kwargs: str) -> str:
    return settings.SITE_URL + reverse(name, kwargs=kwargs)


def _notice(email: OutgoingEmail) -> RenderedMail:
    notice = NOTICES[email.params["notice"]]
    return render_mail(
        "account/notice",
        {
            "subject": notice.subject,
            "sentence": str(notice.sentence) % email.params,
            "at": datetime.fromisoformat(email.params["at"]),
            "browser": browser(email.params["user_agent"]),
        },
        ours={"ip": email.params["ip"], "url": _link("account_reset_password")},
    )


def _already_exists(_email: OutgoingEmail) -> RenderedMail:
    return render_mail(
        "account/already_exists",
        {},
        ours={"url": _link("account_login"), "password_reset_url": _link("account_reset_password")},
    )


def _account_deleted(email: OutgoingEmail) -> RenderedMail:
    with override(email.params["language"] or get_language()):
        return render_mail("account/deleted", {}, ours={"email": email.to, "url": _link("account_signup")})


def _unknown(email: OutgoingEmail) -> RenderedMail:
    return render_mail("account/unknown", {}, ours={"email": email.to, "url": _link("account_signup")})


def _email_confirmation(email: OutgoingEmail) -> RenderedMail:
    address = EmailAddress.objects.filter(pk=email.params["email_address_id"], email=email.to).first()
    if address is None or address.verified:
        raise NoLongerNeeded("The address was confirmed or given up.")
    return render_mail(
        "account/email_confirmation",
        {"days": app_settings.EMAIL_CONFIRMATION_EXPIRE_DAYS},
        ours={"url": _link("account_confirm_email", key=EmailConfirmationHMAC(address).key)},
    )


def _password_reset(email: OutgoingEmail) -> RenderedMail:
    user = User.objects.filter(pk=email.params["user_id"], is_active=True).first()
    if user is None or not _owns(user, email.to):
        raise NoLongerNeeded("The account is closed or has another address.")
    token = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    return render_mail(
        "account/password_reset",
        {},
        ours={"url": _link("account_reset_password_from_key", uidb36=user_pk_to_url_str(user), key=token)},
    )


def _owns(user: User, address: str) -> bool:
    return (
        user.email.lower() == address.lower()
        or EmailAddress.objects.filter(user=user, email__iexact=address).exists()
    )


ACCOUNT_NOTICE_MAIL = MailKind("account_notice", _notice)
ALREADY_EXISTS_MAIL = MailKind("account_already_exists", _already_exists)
UNKNOWN_MAIL = MailKind("account_unknown", _unknown)
ACCOUNT_DELETED_MAIL = MailKind("account_deleted", _account_deleted)
EMAIL_CONFIRMATION_MAIL = MailKind("account_email_confirmation", _email_confirmation, opens=True)
PASSWORD_RESET_MAIL = MailKind("account_password_reset", _password_reset, opens=True)

# By the prefix of allauth's templates.
PLAIN_MAILS = {
    "account/email/account_already_exists": ALREADY_EXISTS_MAIL,
    "account/email/unknown_account": UNKNOWN_MAIL,
}
