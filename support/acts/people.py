"""What staff do for an organization about its people, as an admin of it could, but for making admins."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import orgs.services
from accounts.addresses import MAX_LENGTH, clean_address
from accounts.models import display_name
from invitations import services
from invitations.models import Invitation, Kind, State
from orgs.acting import acting
from orgs.endings import what_ends
from orgs.errors import Refused
from orgs.models import Membership, Organization
from orgs.policy import Permission, Role
from orgs.role_questions import ByPart, role_question
from orgs.rows import positive_int
from support.acts.base import ActForm, StaffAct, Target, Text, found
from support.admin_requests import ensure_not_closing
from support.principals import Staff, StaffInOrganization

# What one person of support can give.
GIVEN_ALONE = [role for role in Role if role is not Role.ADMIN]
ADMIN_BY_TWO = gettext_lazy(
    "Nobody in support makes an admin alone. Ask for it with a proof of ownership, and a colleague decides."
)


class AddressForm(ActForm):
    email = forms.CharField(label=gettext_lazy("Email address"), max_length=MAX_LENGTH)

    def clean_email(self) -> str:
        return clean_address(self.cleaned_data["email"])


class RoleForm(ActForm):
    role = forms.TypedChoiceField(
        label=gettext_lazy("Role"),
        choices=[(role.value, role.label) for role in GIVEN_ALONE],
        coerce=Role,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose a role."), "invalid_choice": ADMIN_BY_TWO},
    )

    field_order = ["email", "role", "ticket", "reason"]


class InvitationForm(RoleForm, AddressForm):
    pass


class Invite(StaffAct[Organization]):
    name = "invite"
    permission = Permission.MEMBERS_INVITE
    submit = gettext_lazy("Send invitation")
    form_class = InvitationForm
    tone = "primary"

    def find(self, key: str) -> Target[Organization]:
        organization = found(Organization.objects.all(), key)
        return Target(organization, organization)

    def question(self, target: Target[Organization]) -> Text:
        return _("Invite somebody to %(organization)s?") % {"organization": target.thing}

    def consequences(self, target: Target[Organization]) -> Sequence[Text]:  # noqa: ARG002 - as the base
        return [_("They get the usual mail, in the name of support."), ADMIN_BY_TWO]

    def run(self, staff: Staff, target: Target[Organization], data: Mapping[str, Any]) -> Text:
        by = self.principal(staff, target, data)
        ensure_not_closing(by.organization)
        by.refuse_own_address(data["email"])
        services.invite_by_mail(actor=by, email=data["email"], role=data["role"])
        return _("Invitation sent to %(addresses)s.") % {"addresses": data["email"]}


class OnInvitation(StaffAct[Invitation]):
    """``shown``: the generation."""

    permission = Permission.BILLING_MANAGERS_INVITE

    def find(self, key: str) -> Target[Invitation]:
        invitation = found(Invitation.objects.select_related("organization"), key)
        return Target(invitation, invitation.organization)

    def shown(self, target: Target[Invitation]) -> str:
        return str(target.thing.generation)


def _generation(shown: str) -> int:
    """0, which no invitation has, for what is none."""
    return positive_int(shown) or 0


class ResendInvitation(OnInvitation):
    name = "resend-invitation"
    submit = gettext_lazy("Send invitation again")
    tone = "primary"

    def question(self, target: Target[Invitation]) -> Text:
        return _("Send the invitation for %(address)s again?") % {"address": _goal(target.thing)}

    def consequences(self, target: Target[Invitation]) -> Sequence[Text]:  # noqa: ARG002 - as the base
        return [_("They get a new link, and the earlier one stops working.")]

    def run(self, staff: Staff, target: Target[Invitation], data: Mapping[str, Any]) -> Text:
        by = self.principal(staff, target, data)
        ensure_not_closing(by.organization)
        by.refuse_own_address(_goal(target.thing))
        with acting(by, self.permission) as act:
            now = Invitation.objects.for_org(act.organization).get(pk=target.thing.pk)
            is_new = now.state != State.PENDING or now.kind == Kind.LINK
            # Or what two of support agreed on, which has expired, would be agreed on by one.
            if now.role == Role.ADMIN and (is_new or (now.of_no_person and now.is_overdue)):
                raise Refused(ADMIN_BY_TWO)
            sent = services.resend(actor=by, invitation_id=now.pk, shown=_generation(data["shown"]))
        return _("Invitation sent to %(address)s again. The earlier link no longer works.") % {
            "address": sent.email
        }


def _goal(invitation: Invitation) -> str:
    """Where a mail would go."""
    return invitation.asked_for or invitation.addressee


class RevokeInvitation(OnInvitation):
    name = "revoke-invitation"
    submit = gettext_lazy("Revoke invitation")

    def question(self, target: Target[Invitation]) -> Text:
        return _("Revoke the invitation for %(address)s?") % {"address": target.thing.addressee}

    def consequences(self, target: Target[Invitation]) -> Sequence[Text]:
        if not target.thing.email:
            return [_("It stops working at once for everybody who has it.")]
        return [_("Its link stops working at once, and they get a mail that says so.")]

    def run(self, staff: Staff, target: Target[Invitation], data: Mapping[str, Any]) -> Text:
        by = self.principal(staff, target, data)
        services.revoke(actor=by, invitation_id=target.thing.pk, shown=_generation(data["shown"]))
        return _("The invitation is revoked. Its link no longer works.")


class OnPerson(StaffAct[Membership]):
    """``shown``: the role."""

    def find(self, key: str) -> Target[Membership]:
        membership = found(Membership.objects.select_related("organization", "user"), key)
        return Target(membership, membership.organization)

    def shown(self, target: Target[Membership]) -> str:
        return target.thing.role

    def by_another(
        self, staff: Staff, target: Target[Membership], data: Mapping[str, Any]
    ) -> StaffInOrganization:
        """Who acts. Raises Refused for the staff member's own membership."""
        by = self.principal(staff, target, data)
        by.refuse_own(target.thing.user_id)
        return by


def _named(target: Target[Membership]) -> dict[str, str]:
    return {"name": display_name(target.thing.user), "organization": target.thing.organization.name}


def _told_of_admin(membership: Membership) -> list[str]:
    is_admin = membership.role == Role.ADMIN
    return [_("They are an admin of this organization.")] if is_admin else []


class RemovePerson(OnPerson):
    name = "remove-person"
    permission = Permission.MEMBERS_REMOVE
    submit = gettext_lazy("Remove person")

    def question(self, target: Target[Membership]) -> Text:
        return _("Remove %(name)s from %(organization)s?") % _named(target)

    def consequences(self, target: Target[Membership]) -> Sequence[Text]:
        # As the person would read it of themselves.
        ends = what_ends([target.thing], target.thing)
        return [
            *_told_of_admin(target.thing),
            _("They lose access at once and get a mail that says so."),
            *([f"{_('What is theirs here ends too:')} {', '.join(ends)}."] if ends else []),
        ]

    def run(self, staff: Staff, target: Target[Membership], data: Mapping[str, Any]) -> Text:
        by = self.by_another(staff, target, data)
        ended = orgs.services.remove_member(actor=by, membership_id=target.thing.pk, shown_role=data["shown"])
        told = _("%(name)s is removed from %(organization)s.") % _named(target)
        return f"{told} {_('What was theirs here has ended too:')} {', '.join(ended)}." if ended else told


class ChangeRole(OnPerson):
    name = "change-role"
    permission = Permission.MEMBERS_CHANGE_ROLE
    submit = gettext_lazy("Change role")
    form_class = RoleForm

    def question(self, target: Target[Membership]) -> Text:
        return _("Change the role of %(name)s in %(organization)s?") % _named(target)

    def consequences(self, target: Target[Membership]) -> Sequence[Text]:
        others = [role for role in GIVEN_ALONE if role != target.thing.role]
        return [
            *_told_of_admin(target.thing),
            *(line for role in others for line in _told_of_role(target.thing, role)),
            _("The change counts at once, and they get a mail that says so."),
            ADMIN_BY_TWO,
        ]

    def run(self, staff: Staff, target: Target[Membership], data: Mapping[str, Any]) -> Text:
        by = self.by_another(staff, target, data)
        ensure_not_closing(by.organization)
        role: Role = data["role"]
        orgs.services.change_role(
            actor=by, membership_id=target.thing.pk, role=role, shown_role=data["shown"]
        )
        return _("%(name)s is %(role)s of %(organization)s now.") % {
            **_named(target),
            "role": role.in_sentence,
        }


def _told_of_role(membership: Membership, role: Role) -> list[str]:
    """What a person wins and loses by another role, a line each."""
    question = role_question(
        name="",
        today=Role(membership.role),
        role=role,
        own=False,
        delegated=membership.organization.managers_manage_managers,
    )
    lines = (
        (_("%(role)s: they will be able to: %(acts)s."), question.gained),
        (_("%(role)s: they will no longer be able to: %(acts)s."), question.lost),
    )
    return [line % {"role": role.label, "acts": _acts(parts)} for line, parts in lines if parts]


def _acts(parts: ByPart) -> str:
    return ", ".join(str(act) for _part, acts in parts for act in acts)


class SignOut(OnPerson):
    name = "sign-out"
    permission = Permission.SESSIONS_END
    submit = gettext_lazy("Sign out everywhere")

    def question(self, target: Target[Membership]) -> Text:
        return _("Sign %(name)s out everywhere?") % _named(target)

    def consequences(self, target: Target[Membership]) -> Sequence[Text]:  # noqa: ARG002 - as the base
        return [
            _("All their sessions end, whatever organization they are at, and they get a mail that says so."),
            _("Their password, access tokens and connected programs go on."),
        ]

    def run(self, staff: Staff, target: Target[Membership], data: Mapping[str, Any]) -> Text:
        by = self.by_another(staff, target, data)
        orgs.services.sign_out(actor=by, membership_id=target.thing.pk)
        return _("%(name)s is signed out everywhere.") % _named(target)
