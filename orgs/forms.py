"""What people type about organizations."""

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


class InvitationAgeForm(forms.ModelForm[Organization]):
    class Meta:
        model = Organization
        fields = ["invitation_max_age_days"]
        labels = {"invitation_max_age_days": _("Invitations expire after (days)")}
        help_texts = {"invitation_max_age_days": _("Leave empty, and invitations never expire.")}

    def clean_invitation_max_age_days(self) -> int | None:
        days: int | None = self.cleaned_data["invitation_max_age_days"]
        if days is not None and not 1 <= days <= 365:
            raise forms.ValidationError(_("Choose from 1 to 365 days, or leave this empty."))
        return days


class ManagersSettingForm(forms.Form):
    allowed = forms.BooleanField(
        required=False,
        label=_("Billing managers may invite and remove billing managers"),
        help_text=_("They can never make anybody a member or an admin."),
    )


class RoleForm(forms.Form):
    role = forms.TypedChoiceField(choices=Role.choices, coerce=Role, label=_("Role"))
