"""What people type about organizations."""

import uuid

from django import forms
from django.utils.translation import gettext_lazy as _

from orgs.models import Organization
from orgs.policy import Role


class OrganizationForm(forms.ModelForm[Organization]):
    class Meta:
        model = Organization
        fields = ["name"]
        labels = {"name": _("Organization name")}
        help_texts = {"name": _("As on your invoices. You can change it later; the address stays.")}


class NewOrganizationForm(OrganizationForm):
    """``idempotency_key``: drawn with the page, so that the form sent again makes no second organization."""

    idempotency_key = forms.UUIDField(
        required=False,
        initial=uuid.uuid4,
        widget=forms.HiddenInput,
        error_messages={"invalid": _("This form is damaged. Reload the page and fill it in again.")},
    )


class InvitationAgeForm(forms.ModelForm[Organization]):
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

    class Meta:
        model = Organization
        fields = ["invitation_max_age_days"]


class ManagersSettingForm(forms.Form):
    allowed = forms.BooleanField(
        required=False,
        label=_("Billing managers may invite and remove billing managers"),
        help_text=_("They can never make anybody a member or an admin."),
    )


class RoleForm(forms.Form):
    role = forms.TypedChoiceField(choices=Role.choices, coerce=Role)
