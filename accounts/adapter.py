"""How django-allauth works here: its mails, its limits, its addresses."""

from typing import Any, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal.httpkit import clean_client_ip
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _

from accounts import limits, mails
from accounts.addresses import clean_address
from accounts.models import User


class AccountAdapter(DefaultAccountAdapter):
    """allauth's mails go through the outbox, so that none is lost and no page waits for a mail server.

    An account has an address of the letters that can be invited: no look-alike.
    """

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        # Only where many tried at once: all others read on a page of ours how long they have to wait.
        "too_many_login_attempts": _("Too many tries at once. Wait a moment, then try again."),
        "rate_limited": _("Too many tries at once. Wait a moment, then try again."),
    }

    def save_user(
        self, request: HttpRequest, user: AbstractBaseUser, form: Any, commit: bool = True
    ) -> AbstractBaseUser:
        try:
            return super().save_user(request, user, form, commit)
        except IntegrityError:
            # Another sign-up took the address since the form looked. It is answered like any known address;
            # the other person has got the link that confirms.
            answer = HttpResponseRedirect(reverse("account_email_verification_sent"))
            raise ImmediateHttpResponse(answer) from None

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        try:
            with transaction.atomic():
                return bool(super().confirm_email(request, email_address))
        except IntegrityError:
            # Another account has proved the same address since we looked.
            failed = "account/messages/email_confirmation_failed.txt"
            self.add_message(request, messages.ERROR, failed, {"email": email_address.email})
            return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        mails.send_plain(template_prefix, email, context)

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:  # noqa: ARG002 - allauth's signature
        mails.send_confirmation(emailconfirmation.email_address)

    def send_password_reset_mail(self, user: AbstractBaseUser, email: str, context: dict[str, Any]) -> None:  # noqa: ARG002 - allauth's signature
        mails.send_password_reset(user, email)

    def send_account_already_exists_mail(self, email: str) -> None:
        # A new account costs a hash; without one here, the time would tell which addresses are known.
        make_password(get_random_string(12))
        if limits.may_mail_again(context.request, email):
            super().send_account_already_exists_mail(email)

    def clean_email(self, email: str) -> str:
        return clean_address(super().clean_email(email))

    def get_client_ip(self, request: HttpRequest) -> str:
        try:
            return super().get_client_ip(request)
        except (ImproperlyConfigured, PermissionDenied):
            # It did not come through our proxies, or what they note is no address: then the peer counts.
            address = clean_client_ip(request.META.get("REMOTE_ADDR", ""))
            if address is None:
                raise
            return address

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        key = self._get_login_attempts_cache_key(request, **credentials)
        self._login_failed_rl_usage = limits.count_sign_in(request, key)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # allauth's own key begins with the host that was asked for, with its port: one more count for each.
        return limits.account_key(request, credentials["email"])

    def post_login(self, request: HttpRequest, user: AbstractBaseUser, **kwargs: Any) -> HttpResponse:
        response = super().post_login(request, user, **kwargs)
        limits.remember_browser(response, cast("User", user))
        return response

    def is_safe_url(self, url: str) -> bool:
        try:
            return bool(super().is_safe_url(url))
        except ValueError:
            # "http://[" is no URL at all, says the parser below.
            return False
