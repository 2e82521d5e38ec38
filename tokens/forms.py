"""What people type about access tokens."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from orgs.policy import Permission
from tokens.models import AccessToken

ON_A_DAY = "date"
LIVES = [("30", _("In 30 days")), ("90", _("In 90 days")), ("365", _("In a year")), (ON_A_DAY, _("On a day"))]


class TokenForm(forms.ModelForm[AccessToken]):
    """``key``: drawn with the page, so that the form sent again makes no second token."""

    scopes = forms.TypedMultipleChoiceField(
        label=_("May"),
        coerce=Permission,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one thing that the token may do.")},
    )
    life = forms.ChoiceField(label=_("Expires"), choices=LIVES, initial="90", widget=forms.RadioSelect)
    until = forms.DateField(
        label=_("Last day (UTC)"),
        required=False,
        help_text=_("Only for “On a day”: within the next year."),
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": _("Enter a day, as in 2027-03-31.")},
    )
    key = forms.UUIDField(
        initial=uuid.uuid4,
        widget=forms.HiddenInput,
        error_messages={
            error: _("This form is damaged. Reload the page and fill it in again.")
            for error in ("required", "invalid")
        },
    )

    class Meta:
        model = AccessToken
        fields = ["name"]
        help_texts = {"name": _("What it is for, as in “Nightly export”.")}

    def __init__(self, *args: Any, scopes: Iterable[Permission], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scopes"].choices = [(scope.value, capfirst(str(scope.label))) for scope in scopes]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any] | None:
        wants_day = self.cleaned_data.get("life") == ON_A_DAY
        if wants_day and self.cleaned_data.get("until", "wrong") is None:
            self.add_error("until", _("Choose the last day of the token."))
        return self.cleaned_data

    @property
    def expires_at(self) -> datetime:
        """Once the form is valid: the end of the chosen day (UTC), or so many days from now."""
        if self.cleaned_data["life"] == ON_A_DAY:
            return datetime.combine(self.cleaned_data["until"], time.max, UTC)
        return timezone.now() + timedelta(days=int(self.cleaned_data["life"]))
