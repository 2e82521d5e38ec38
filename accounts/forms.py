"""A person's name and preferences, and django-allauth's forms in our words and with our limits
(ACCOUNT_FORMS, MFA_FORMS).
"""

from typing import Any

from allauth.account import forms as account
from allauth.core import context
from allauth.mfa.base import forms as mfa
from allauth.mfa.totp import forms as totp
from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import limits
from accounts.access import STEP_TO_CONFIRM
from accounts.models import User
from accounts.time_zones import zones_by_area
from accounts.validators import validate_display_name


def _password_rules() -> str:
    """AUTH_PASSWORD_VALIDATORS in one sentence; what they refuse, they explain."""
    return gettext(
        "At least %(length)s characters; no common password, and not like your name or address."
    ) % {"length": settings.PASSWORD_LENGTH}


PASSWORD_RULES = lazy(_password_rules, str)()


class NameForm(forms.Form):
    """A person's name."""

    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        validators=[validate_display_name],
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": _("Enter your name.")},
    )


def _time_zones() -> list[tuple[str, Any]]:
    return [("UTC", "UTC"), *zones_by_area()]


def _languages() -> list[tuple[str, Any]]:
    return [("", gettext("As the browser asks")), *settings.LANGUAGES]


class PreferencesForm(forms.ModelForm[User]):
    """How pages and mails are written for a person. The language is asked for where there are several."""

    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=_time_zones,
        help_text=_(
            "Pages and mails tell times in it. Billing days and last days are days in UTC for everybody."
        ),
        error_messages=dict.fromkeys(["required", "invalid_choice"], _("Choose a time zone of the list.")),
    )
    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=_languages,
        help_text=_("Of pages and mails."),
        error_messages={"invalid_choice": _("Choose a language of the list.")},
    )

    class Meta:
        model = User
        fields = ["time_zone", "language"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(settings.LANGUAGES) == 1:
            del self.fields["language"]


class SignupForm(account.SignupForm, NameForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].help_text = PASSWORD_RULES

    def signup(self, _request: HttpRequest, user: User) -> None:
        """allauth calls this with the account that it has just made."""
        user.name = self.cleaned_data["name"]
        user.save(update_fields=["name"])


class NewPassword:
    """A form of allauth's in which a new password is typed twice."""

    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].label = _("New password")
        self.fields["password1"].help_text = PASSWORD_RULES
        self.fields["password2"].label = _("New password again")


class ChangePasswordForm(NewPassword, account.ChangePasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].label = _("Current password")


class SetPasswordForm(NewPassword, account.SetPasswordForm):
    pass


class ResetPasswordKeyForm(NewPassword, account.ResetPasswordKeyForm):
    pass


class LimitedCode:
    """A form of allauth's in which a code of the second factor is typed."""

    user: Any

    def clean_code(self) -> str:
        limits.refuse_exhausted_codes(context.request, self.user)
        code: str = super().clean_code()  # type: ignore[misc]  # of the form that this is mixed into
        return code


class AuthenticateForm(LimitedCode, mfa.AuthenticateForm):
    pass


class NamedStep:
    """A form of allauth's that carries out the step that its page named (``step``), and no other.

    A browser keeps one waiting step, and another tab may have begun one since the page was drawn.
    """

    data: Any

    def clean(self) -> dict[str, Any] | None:
        waiting = context.request.session.get(STEP_TO_CONFIRM, {}).get("id")
        if self.data.get("step", waiting) != waiting:
            raise forms.ValidationError(
                _(
                    "Another step was started after you opened this page. "
                    "Nothing was done. Check it, then try again."
                )
            )
        cleaned: dict[str, Any] | None = super().clean()  # type: ignore[misc]  # as above
        return cleaned


class PasswordAgainForm(NamedStep, account.ReauthenticateForm):
    pass


class CodeAgainForm(NamedStep, LimitedCode, mfa.ReauthenticateForm):
    pass


class ActivateTOTPForm(LimitedCode, totp.ActivateTOTPForm):
    pass
