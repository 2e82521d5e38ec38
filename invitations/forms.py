"""What people type to invite, and to decline."""

from datetime import date

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.addresses import MAX_LENGTH, Entry, entries_in
from orgs.errors import Refused
from orgs.last_days import ensure_not_past
from orgs.policy import Role

MOST_AT_ONCE = 50
MEMBER_ROLES = [(role.value, role.label) for role in (Role.MEMBER, Role.ADMIN)]
MANAGER_ROLES = [(role.value, role.label) for role in (Role.BILLING_MANAGER, Role.BILLING_VIEWER)]


class AddressesForm(forms.Form):
    """One address, or a list of them. Each is judged by the verb."""

    email = forms.CharField(
        label=_("Email addresses"),
        help_text=_("One, or several: each on a line of its own, or parted by commas."),
        max_length=MOST_AT_ONCE * MAX_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": _("Enter an email address.")},
    )

    def clean_email(self) -> list[Entry]:
        entries = entries_in(self.cleaned_data["email"])
        if not entries:
            raise forms.ValidationError(_("Enter an email address."))
        if len(entries) > MOST_AT_ONCE:
            raise forms.ValidationError(
                _("Enter at most %(limit)s addresses at once."), params={"limit": MOST_AT_ONCE}
            )
        return entries


class InvitedRoleForm(forms.Form):
    role = forms.TypedChoiceField(
        label=_("Role"), choices=MEMBER_ROLES, coerce=Role, initial=Role.MEMBER, widget=forms.RadioSelect
    )


class MemberInvitationForm(InvitedRoleForm, AddressesForm):
    field_order = ["email", "role"]


class LastDayForm(forms.Form):
    last_day = forms.DateField(
        label=_("Last day"),
        required=False,
        help_text=_("The whole day counts, in UTC. Leave this empty, and they stay for good."),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"invalid": _("Enter a day, or leave this empty.")},
    )

    def clean_last_day(self) -> date | None:
        last_day: date | None = self.cleaned_data["last_day"]
        try:
            ensure_not_past(last_day)
        except Refused as refused:
            raise ValidationError(str(refused.message)) from None
        return last_day


class ManagerOptionsForm(LastDayForm):
    """What an invited billing manager may do, and until when.

    Where the form doesn't say, it is all that the role gives, and for good.
    """

    role = forms.TypedChoiceField(
        label=_("Role"),
        required=False,
        choices=MANAGER_ROLES,
        coerce=Role,
        initial=Role.BILLING_MANAGER,
        empty_value=Role.BILLING_MANAGER,
        widget=forms.RadioSelect,
    )


class ManagerInvitationForm(ManagerOptionsForm, AddressesForm):
    field_order = ["email", "role", "last_day"]


class ShownInvitationForm(forms.Form):
    """What every act on one invitation carries: ``generation``, as its page showed it."""

    generation = forms.IntegerField(widget=forms.HiddenInput)


def shown_generation(data: QueryDict) -> int:
    """The generation that the form's page showed; 0, which none has, where the form doesn't say."""
    form = ShownInvitationForm(data)
    return form.cleaned_data["generation"] if form.is_valid() else 0


class DeclineForm(ShownInvitationForm):
    message = forms.CharField(
        label=_("Message to the inviter"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
