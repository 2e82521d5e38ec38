"""Making somebody an admin by two of support staff."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orgs.models import Organization
from orgs.policy import Permission
from support.acts.base import StaffAct, Target, Text, found
from support.acts.people import AddressForm
from support.admin_requests import ask_for_admin, grant_admin, refuse_admin
from support.models import AdminRequest, Proof
from support.principals import Staff


class ProofForm(AddressForm):
    proof = forms.TypedChoiceField(
        label=gettext_lazy("Proof of ownership"),
        choices=Proof.choices,
        coerce=Proof,
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(["required", "invalid_choice"], gettext_lazy("Choose a proof.")),
    )
    reference = forms.CharField(
        label=gettext_lazy("Reference"),
        max_length=200,
        help_text=gettext_lazy("Where the proof is kept, such as the number of an extract. No secret."),
    )

    field_order = ["email", "proof", "reference", "ticket", "reason"]


class AskForAdmin(StaffAct[Organization]):
    name = "ask-admin"
    permission = Permission.ADMINS_PROPOSE
    submit = gettext_lazy("Ask colleague")
    form_class = ProofForm
    tone = "primary"

    def find(self, key: str) -> Target[Organization]:
        organization = found(Organization.objects.all(), key)
        return Target(organization, organization)

    def question(self, target: Target[Organization]) -> Text:
        return _("Ask a colleague to make somebody an admin of %(organization)s?") % {
            "organization": target.thing
        }

    def consequences(self, target: Target[Organization]) -> Sequence[Text]:  # noqa: ARG002 - as the base
        return [
            _("Another staff member grants or refuses it within 7 days."),
            _("All admins of the organization get a mail with the proof, and may object."),
        ]

    def run(self, staff: Staff, target: Target[Organization], data: Mapping[str, Any]) -> Text:
        by = self.principal(staff, target, data)
        ask_for_admin(actor=by, email=data["email"], proof=data["proof"], reference=data["reference"])
        return _("A colleague can grant it now, under Admin requests.")


class OnRequest(StaffAct[AdminRequest]):
    permission = Permission.ADMINS_CONFIRM

    def find(self, key: str) -> Target[AdminRequest]:
        request = found(AdminRequest.objects.select_related("organization"), key)
        return Target(request, request.organization)

    def consequences(self, target: Target[AdminRequest]) -> Sequence[Text]:
        asked = target.thing
        return [
            _("Proof of ownership: %(proof)s, %(reference)s.")
            % {"proof": asked.get_proof_display(), "reference": asked.reference},
            _("%(staff)s asked for it, ticket %(ticket)s: %(reason)s")
            % {
                "staff": asked.staff_mail,
                "ticket": asked.ticket,
                "reason": asked.reason,
            },
        ]

    def back(self, target: Target[AdminRequest]) -> str:  # noqa: ARG002 - as the base
        return reverse("admin:admin_requests")


class GrantAdmin(OnRequest):
    name = "grant-admin"
    submit = gettext_lazy("Make admin")

    def question(self, target: Target[AdminRequest]) -> Text:
        return _("Make %(address)s an admin of %(organization)s?") % _named(target)

    def consequences(self, target: Target[AdminRequest]) -> Sequence[Text]:
        return [
            *super().consequences(target),
            _("An admin manages everything: people and their roles, billing and settings."),
            _("Who doesn't belong yet gets an invitation. All admins get a mail."),
        ]

    def run(self, staff: Staff, target: Target[AdminRequest], data: Mapping[str, Any]) -> Text:
        by = self.principal(staff, target, data)
        grant_admin(actor=by, request_id=target.thing.pk)
        return _("%(address)s becomes an admin of %(organization)s.") % _named(target)


class RefuseAdmin(OnRequest):
    name = "refuse-admin"
    submit = gettext_lazy("Refuse request")

    def question(self, target: Target[AdminRequest]) -> Text:
        return _("Refuse that %(address)s becomes an admin of %(organization)s?") % _named(target)

    def run(self, staff: Staff, target: Target[AdminRequest], data: Mapping[str, Any]) -> Text:
        by = self.principal(staff, target, data)
        refuse_admin(actor=by, request_id=target.thing.pk)
        return _("The request is refused. It can be asked for again.")


def _named(target: Target[AdminRequest]) -> dict[str, str]:
    return {"address": target.thing.email, "organization": target.thing.organization.name}
