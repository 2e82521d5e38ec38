"""Where sign-in meets invitations and what programs are let do.

A person who came by an invitation comes back to it after signing in, up or out; a link from our mail to an
address proves that address. A new password ends what acts in its person's name.
"""

import uuid
from typing import Any, cast

from allauth.account import auth_backends
from allauth.core import context
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import adapter, forms
from accounts.models import User
from invitations.claims import (
    invitation_to_answer,
    keep_claim,
    keep_for_account,
    kept_claims,
    page_of,
    proves_address,
)
from invitations.selectors import person_with_invitations
from programs.services import end_credentials_of


class AuthenticationBackend(auth_backends.AuthenticationBackend):
    """The person of a session comes with ``waiting_invitations``, which the navigation counts."""

    def get_user(self, user_id: uuid.UUID) -> User | None:
        person = next(iter(person_with_invitations(user_id)), None)
        return person if person is not None and self.user_can_authenticate(person) else None


class AccountAdapter(adapter.AccountAdapter):
    def is_email_verified(self, request: HttpRequest, email: str) -> bool:
        return proves_address(request, email) or super().is_email_verified(request, email)

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:
        keep_for_account(request, emailconfirmation.email_address.user)
        super().send_confirmation_mail(request, emailconfirmation, signup)

    def set_password(self, user: AbstractBaseUser, password: str) -> None:
        """Whether it is changed or reset: both or nothing."""
        with transaction.atomic():
            end_credentials_of(cast("User", user))
            super().set_password(user, password)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return _open_invitation_page(request) or super().get_login_redirect_url(request)

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        return _open_invitation_page(request) or super().get_signup_redirect_url(request)

    def logout(self, request: HttpRequest) -> None:
        claims = kept_claims(request.session)
        super().logout(request)
        for claim in claims:
            keep_claim(request.session, claim)


def _open_invitation_page(request: HttpRequest) -> str:
    """The page of the invitation that waits in this browser; empty: none does."""
    invitation = invitation_to_answer(request)
    return page_of(invitation) if invitation else ""


class SignupForm(forms.SignupForm):
    """A person who came by an invitation reads what they join. If it was mailed, they find its address filled
    in; others have theirs verified.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invitation = invitation_to_answer(context.request) if context.request else None
        if self.invitation is None or not self.invitation.email:
            return
        field = self.fields["email"]
        if proves_address(context.request, self.invitation.email):
            field.initial = self.invitation.email
            field.widget.attrs["readonly"] = True
            field.help_text = _("From your invitation, so it needs no verification.")
        else:
            field.help_text = _("The invitation is for one address: use that one.")
