"""What staff do about mails that did not come."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, cast

from django import forms
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import display_name
from invitations.mails import INVITATION_SENT_MAIL
from invitations.models import Invitation
from orgs.models import Membership, Organization
from orgs.policy import Permission
from outbox.models import OutgoingEmail
from support.acts.base import ActForm, StaffAct, Target, Text, found
from support.acts.people import Invite, ResendInvitation
from support.principals import Staff
from support.sending_again import others_for, send_again, send_to_another

MOST_CHOICES = 50


class OnMail(StaffAct[OutgoingEmail]):
    permission = Permission.MAILS_SEND_AGAIN
    tone = "primary"

    def find(self, key: str) -> Target[OutgoingEmail]:
        """A mail of an organization: one about an account is for its person to ask for."""
        mail = found(OutgoingEmail.objects.exclude(organization_id=None), key)
        return Target(mail, found(Organization.objects.all(), str(mail.organization_id)))

    def consequences(self, target: Target[OutgoingEmail]) -> Sequence[Text]:
        if target.thing.kind == INVITATION_SENT_MAIL.code:
            return _instead_of_invitation(target)
        return [_("It tells what was so when it was first written. Check that it still is.")]


def _instead_of_invitation(target: Target[OutgoingEmail]) -> list[Text]:
    """Where its link is made anew, if the invitation is there still, and where another address is invited."""
    mail, invitation = target.thing, target.thing.params.get("invitation_id")
    ways = [(_("Invite another address"), Invite().url(mail.organization_id))]
    if Invitation.objects.filter(pk=invitation, organization=target.organization).exists():
        ways.insert(0, (_("Send the invitation again"), ResendInvitation().url(invitation)))
    links = [format_html('<a href="{}">{}</a>', url, label) for label, url in ways]
    return [_("This mail holds the link of an invitation, so it is not sent again itself."), *links]


class SendMailAgain(OnMail):
    name = "send-mail-again"
    submit = gettext_lazy("Send mail again")

    def question(self, target: Target[OutgoingEmail]) -> Text:
        return _("Send this mail to %(address)s again?") % {"address": target.thing.to}

    def run(self, staff: Staff, target: Target[OutgoingEmail], data: Mapping[str, Any]) -> Text:
        by = self.principal(staff, target, data)
        sent = send_again(actor=by, mail_id=target.thing.pk)
        return _("The mail to %(address)s is on its way again.") % {"address": sent.to}


class PersonForm(ActForm):
    """``initial["people"]``: the choices."""

    person = forms.TypedChoiceField(
        label=gettext_lazy("To"),
        coerce=uuid.UUID,
        error_messages=dict.fromkeys(["required", "invalid_choice"], gettext_lazy("Choose a person.")),
    )

    field_order = ["person", "ticket", "reason"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ChoiceField", self.fields["person"]).choices = self.initial["people"]


class SendMailToAnother(OnMail):
    name = "send-mail-to-another"
    submit = gettext_lazy("Send mail")
    form_class = PersonForm

    def question(self, target: Target[OutgoingEmail]) -> Text:
        return _("Send this mail for %(address)s to another person?") % {"address": target.thing.to}

    def consequences(self, target: Target[OutgoingEmail]) -> Sequence[Text]:
        if target.thing.kind == INVITATION_SENT_MAIL.code:
            return super().consequences(target)
        others = others_for(cast("Organization", target.organization), target.thing)
        return [
            _("Only mails about billing go to another person, and only to one who may see billing."),
            *([] if others.exists() else [_("Nobody else of the organization may see billing now.")]),
            *super().consequences(target),
        ]

    def initial(self, target: Target[OutgoingEmail]) -> dict[str, Any]:
        people = others_for(cast("Organization", target.organization), target.thing)[:MOST_CHOICES]
        return {"people": [(str(one.pk), _called(one)) for one in people]}

    def run(self, staff: Staff, target: Target[OutgoingEmail], data: Mapping[str, Any]) -> Text:
        by = self.principal(staff, target, data)
        sent = send_to_another(actor=by, mail_id=target.thing.pk, membership_id=data["person"])
        return _("The mail is on its way to %(address)s.") % {"address": sent.to}


def _called(membership: Membership) -> str:
    return f"{display_name(membership.user)}, {membership.user.email}"
