"""Sign-up, as one transaction."""

from allauth.account.views import SignupView as LibraryView
from django.db import transaction
from django.forms import Form
from django.http import HttpResponse


class SignUpView(LibraryView):
    """The account, its address and the mail that confirms it come at once, or not at all.

    So another sign-up with the same address waits for this one, or finds all of it: otherwise the mail that
    tells of an existing account would use up the address's limit, and the one that confirms it never leave.
    """

    def form_valid(self, form: Form) -> HttpResponse:
        with transaction.atomic():
            return super().form_valid(form)
