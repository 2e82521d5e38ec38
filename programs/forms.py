"""What people answer about programs."""

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext_lazy as _

from orgs.models import Membership


class ConsentForm(forms.Form):
    """In which of the person's organizations. One that they saw and that is none any more is refused."""

    organization = forms.ChoiceField(
        label=_("Organization"),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose the organization."),
            "invalid_choice": _(
                "You can't see the billing of that organization any more. Choose another one."
            ),
        },
    )

    def __init__(self, data: object = None, *, memberships: Sequence[Membership]) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self.memberships = {str(person.organization_id): person for person in memberships}
        field = self.fields["organization"]
        field.choices = [(key, person.organization.name) for key, person in self.memberships.items()]  # type: ignore[attr-defined]
        if len(self.memberships) == 1:
            field.initial = next(iter(self.memberships))

    @property
    def chosen(self) -> Membership:
        """Once the form is valid."""
        return self.memberships[self.cleaned_data["organization"]]


class UserCodeForm(forms.Form):
    code = forms.CharField(
        label=_("Code"),
        max_length=20,
        help_text=_("The program shows it, as in BCDF-GHJK."),
        error_messages={"required": _("Enter the code that the program shows.")},
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )
