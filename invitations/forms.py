"""What people type to invite, and to decline."""

from django import forms
from django.utils.translation import gettext_lazy as _

from invitations.addresses import MAX_LENGTH
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


class DeclineForm(forms.Form):
    message = forms.CharField(
        label=_("Message to the inviter"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
