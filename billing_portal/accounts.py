"""How django-allauth works in this portal: its mails, its limits, and what a person says at sign-up."""

from typing import Any, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal.httpkit import clean_client_ip
from django import forms
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.validators import validate_display_name
from billing_portal import account_mails, limits
from invitations.addresses import clean_address
from invitations.claims import (
    address_to_sign_up_with,
    keep_claim,
    kept_claims,
    live_invitations,
    page_of,
    proves_address,
)
from orgs.errors import Refused


class AccountAdapter(DefaultAccountAdapter):
    """allauth's mails go through the outbox, so that none is lost and no page waits for a mail server.

    Whoever came by an invitation comes back to it after signing in, up or out; a link from our mail to an
    address proves that address. An account has an address of the letters that can be invited: no look-alike.
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
            # Another sign-up took the address since the form looked. It is answered like any address that is
            # known; the mail is the other one's, who has the link that confirms.
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
        account_mails.send_plain(template_prefix, email, context)

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:  # noqa: ARG002 - allauth's signature
        account_mails.send_confirmation(emailconfirmation.email_address)

    def send_password_reset_mail(self, user: AbstractBaseUser, email: str, context: dict[str, Any]) -> None:  # noqa: ARG002 - allauth's signature
        account_mails.send_password_reset(user, email)

    def send_account_already_exists_mail(self, email: str) -> None:
        # A new account costs a hash; without one here, the time would tell which addresses are known.
        make_password(get_random_string(12))
        if limits.may_mail_again(context.request, email):
            super().send_account_already_exists_mail(email)

    def clean_email(self, email: str) -> str:
        try:
            return clean_address(super().clean_email(email))
        except Refused as refused:
            raise forms.ValidationError(str(refused.message)) from None

    def get_client_ip(self, request: HttpRequest) -> str:
        try:
            return super().get_client_ip(request)
        except (ImproperlyConfigured, PermissionDenied):
            # The request came past our proxies, or what they note is no address: then who connected counts.
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

    def is_email_verified(self, request: HttpRequest, email: str) -> bool:
        return proves_address(request, email) or super().is_email_verified(request, email)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return _open_invitation_page(request) or super().get_login_redirect_url(request)

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        return _open_invitation_page(request) or super().get_signup_redirect_url(request)

    def is_safe_url(self, url: str) -> bool:
        try:
            return bool(super().is_safe_url(url))
        except ValueError:
            # "http://[" is no URL at all, says the parser below.
            return False

    def logout(self, request: HttpRequest) -> None:
        claims = kept_claims(request.session)
        super().logout(request)
        for claim in claims:
            keep_claim(request.session, claim)


def _open_invitation_page(request: HttpRequest) -> str:
    """The page of the invitation that waits in this browser; empty: none does."""
    return next(map(page_of, live_invitations(request).values()), "")


class NameForm(forms.Form):
    """A person's name."""

    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        validators=[validate_display_name],
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": _("Enter your name.")},
    )


class SignupForm(NameForm):
    """What sign-up asks beside the address and the password.

    Who came by a mailed invitation finds its address filled in; another one has to be verified as usual.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        address = address_to_sign_up_with(context.request) if context.request else ""
        if address:
            self.fields["email"].initial = address
            self.fields["email"].widget.attrs["readonly"] = True
            self.fields["email"].help_text = _("From your invitation, so it needs no verification.")

    def signup(self, _request: HttpRequest, user: User) -> None:
        user.name = self.cleaned_data["name"]
        user.save(update_fields=["name"])
