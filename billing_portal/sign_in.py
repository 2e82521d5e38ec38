"""Where sign-in and invitations meet.

A person who came by an invitation comes back to it after signing in, up or out; a link from our mail to an
address proves that address.
"""

from typing import Any

from allauth.core import context
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import adapter, forms
from invitations.claims import (
    address_to_sign_up_with,
    keep_claim,
    kept_claims,
    live_invitations,
    page_of,
    proves_address,
)


class AccountAdapter(adapter.AccountAdapter):
    def is_email_verified(self, request: HttpRequest, email: str) -> bool:
        return proves_address(request, email) or super().is_email_verified(request, email)

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
    return next(map(page_of, live_invitations(request).values()), "")


class SignupForm(forms.SignupForm):
    """A person who came by a mailed invitation finds its address filled in; others have theirs verified."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        address = address_to_sign_up_with(context.request) if context.request else ""
        if address:
            self.fields["email"].initial = address
            self.fields["email"].widget.attrs["readonly"] = True
            self.fields["email"].help_text = _("From your invitation, so it needs no verification.")
