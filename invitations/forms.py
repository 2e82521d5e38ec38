"""What people type to invite, and to decline."""

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.addresses import MAX_LENGTH
from orgs.policy import Role

MEMBER_ROLES = [(role.value, role.label) for role in (Role.MEMBER, Role.ADMIN)]


class ManagerInvitationForm(forms.Form):
    """The address is judged by the verb: a plain text field says nothing of its own."""

    email = forms.CharField(
        label=_("Email address"),
        max_length=MAX_LENGTH,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


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
