"""How django-allauth works in this portal: its mails, and what a person says at sign-up."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django import forms
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from billing_portal import account_mails
from orgs.models import User
from orgs.validators import validate_display_name


class AccountAdapter(DefaultAccountAdapter):
    """allauth's mails go through the outbox, so that none is lost and no page waits for a mail server."""

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        account_mails.send_plain(template_prefix, email, context)

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:  # noqa: ARG002 - allauth's signature
        account_mails.send_confirmation(emailconfirmation.email_address)

    def send_password_reset_mail(self, user: AbstractBaseUser, email: str, context: dict[str, Any]) -> None:  # noqa: ARG002 - allauth's signature
        account_mails.send_password_reset(user, email)


class SignupForm(forms.Form):
    """What sign-up asks beside the address and the password."""

    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        validators=[validate_display_name],
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )

    def signup(self, _request: HttpRequest, user: User) -> None:
        user.name = self.cleaned_data["name"]
        user.save(update_fields=["name"])
