"""What people type about organizations."""

import uuid
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.registry import all_actions
from orgs.editions import sold_editions
from orgs.models import Organization
from orgs.policy import Role
from orgs.services import Change


class OrganizationForm(forms.ModelForm[Organization]):
    class Meta:
        model = Organization
        fields = ["name"]
        labels = {"name": _("Organization name")}
        help_texts = {"name": _("As on your invoices. You can change it later; the address stays.")}


def _sold_editions() -> list[tuple[str, str]]:
    return [(edition.code, edition.name) for edition in sold_editions(on=timezone.now().date())]


class NewOrganizationForm(OrganizationForm):
    """``idempotency_key``: drawn with the page, so that the form sent again makes no second organization.

    ``edition``: the code of the one that the person wants to buy next; empty: none. It buys nothing itself.
    """

    edition = forms.ChoiceField(
        required=False,
        choices=_sold_editions,
        error_messages={"invalid_choice": _("Choose one of the plans, or start without one.")},
    )

    idempotency_key = forms.UUIDField(
        required=False,
        initial=uuid.uuid4,
        widget=forms.HiddenInput,
        error_messages={"invalid": _("This form is damaged. Reload the page and fill it in again.")},
    )


class FormOfChanges(forms.BaseForm):
    """Beside each value the form carries what its page showed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = True

    def changes(self) -> dict[str, Change]:
        """What the person changed, once the form is valid: by field, what they saw and what they want.

        A field that came without what the page showed is taken to have been seen as it is.
        """
        return {name: Change(self._seen(name), self.cleaned_data[name]) for name in self.changed_data}

    def _seen(self, name: str) -> object:
        shown = self.data.get(self[name].html_initial_name)
        if shown is None:
            return self.initial[name]
        try:
            return self.fields[name].to_python(shown)
        except ValidationError:
            return shown


class SettingsForm(FormOfChanges, OrganizationForm):
    """All settings of an organization."""

    invitation_max_age_days = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=365,
        label=_("Invitations expire after (days)"),
        help_text=_("Leave empty, and invitations never expire."),
        error_messages=dict.fromkeys(
            ["invalid", "min_value", "max_value"], _("Choose from 1 to 365 days, or leave this empty.")
        ),
    )
    managers_manage_managers = forms.BooleanField(
        required=False,
        label=_("Billing managers may invite and remove billing managers"),
        help_text=_(
            "They can never make anybody a member or an admin. Changing this asks for your password."
        ),
    )

    class Meta(OrganizationForm.Meta):
        fields = ["name", "invitation_max_age_days", "managers_manage_managers"]


class RoleForm(forms.Form):
    role = forms.TypedChoiceField(choices=Role.choices, coerce=Role)


def _action_codes() -> list[tuple[str, str]]:
    return [(action.code, str(action.label)) for action in all_actions()]


class AuditFilterForm(forms.Form):
    """What of the audit log is meant: one action, or all; a part of a person's name, or everybody."""

    action = forms.ChoiceField(required=False, choices=_action_codes)
    person = forms.CharField(required=False, max_length=80)
