"""What people type to invite, and to decline."""

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.addresses import MAX_LENGTH, Entry, entries_in
from orgs.policy import Role

MOST_AT_ONCE = 50
MEMBER_ROLES = [(role.value, role.label) for role in (Role.MEMBER, Role.ADMIN)]


class ManagerInvitationForm(forms.Form):
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


class MemberInvitationForm(InvitedRoleForm, ManagerInvitationForm):
    field_order = ["email", "role"]


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
