"""Giving the password, or a second factor, again: it carries out the step that the page named, and no other.

A browser keeps one step that waits, and another tab may have begun one since the page was drawn. So the form
of the page says which one it named (``step``).
"""

from typing import Any

from allauth.account import forms as account_forms
from allauth.core import context
from allauth.mfa.base import forms as mfa_forms
from django import forms
from django.utils.translation import gettext as _

from orgs.access import STEP_TO_CONFIRM


class StepForm(forms.Form):
    def clean(self) -> dict[str, Any] | None:
        waiting = context.request.session.get(STEP_TO_CONFIRM, {}).get("id")
        if self.data.get("step", waiting) != waiting:
            raise forms.ValidationError(
                _("Another step was begun since you opened this page. Nothing was done: look once more.")
            )
        return super().clean()


class PasswordForm(StepForm, account_forms.ReauthenticateForm):
    pass


class CodeForm(StepForm, mfa_forms.ReauthenticateForm):
    pass
