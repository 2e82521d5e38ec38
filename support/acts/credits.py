"""What staff do about credits: give some, and take back what they gave."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.given_credits import give_credits, obstacle_to_giving, void_credits
from credits.models import Grant
from orgs.dates import day
from orgs.errors import Refused
from orgs.models import Organization
from orgs.policy import Permission
from support.acts.base import ActForm, StaffAct, Target, Text, found
from support.principals import Staff

# More than anybody gives by hand, and less than a ledger can't add up.
MOST = 1_000_000_000


class CreditsForm(ActForm):
    """``shown``: the key of the press."""

    shown = forms.UUIDField(widget=forms.HiddenInput)
    amount = forms.IntegerField(label=gettext_lazy("Credits"), min_value=1, max_value=MOST)
    last_day = forms.DateField(
        label=gettext_lazy("Last day"),
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=gettext_lazy("In UTC. What is not used by its end expires. At most a year from now."),
    )

    field_order = ["amount", "last_day", "ticket", "reason"]


class GiveCredits(StaffAct[Organization]):
    name = "give-credits"
    permission = Permission.CREDITS_GIVE
    submit = gettext_lazy("Give credits")
    form_class = CreditsForm
    tone = "primary"

    def find(self, key: str) -> Target[Organization]:
        organization = found(Organization.objects.all(), key)
        return Target(organization, organization)

    def question(self, target: Target[Organization]) -> Text:
        return _("Give credits to %(organization)s?") % {"organization": target.thing.name}

    def obstacles(self, target: Target[Organization]) -> Sequence[Text]:
        obstacle = obstacle_to_giving(target.thing)
        return [obstacle] if obstacle else []

    def consequences(self, target: Target[Organization]) -> Sequence[Text]:  # noqa: ARG002 - of the base
        return [
            _("They cost nothing, and count from now on."),
            _("What expires first is used first, and of that what is free before what was paid for."),
        ]

    def shown(self, target: Target[Organization]) -> str:  # noqa: ARG002 - of the base
        return str(uuid.uuid4())

    def run(self, staff: Staff, target: Target[Organization], data: Mapping[str, Any]) -> Text:
        granted = give_credits(
            actor=self.principal(staff, target, data),
            amount=data["amount"],
            last_day=data["last_day"],
            key=data["shown"],
        )
        if granted is None:
            raise Refused(_("These credits were given already. Nothing more was given."))
        return _("Gave %(credits)s credits until %(day)s.") % {
            "credits": f"{granted.credits:,}",
            "day": day(data["last_day"]),
        }


class VoidCredits(StaffAct[Grant]):
    name = "void-credits"
    permission = Permission.CREDITS_GIVE
    submit = gettext_lazy("Take back credits")

    def find(self, key: str) -> Target[Grant]:
        grant = found(Grant.objects.given_by_staff().select_related("organization"), key)
        return Target(grant, grant.organization)

    def question(self, target: Target[Grant]) -> Text:
        return _("Take back the %(credits)s credits given to %(organization)s?") % {
            "credits": f"{target.thing.credits:,}",
            "organization": target.thing.organization.name,
        }

    def consequences(self, target: Target[Grant]) -> Sequence[Text]:  # noqa: ARG002 - of the base
        return [_("What was used of them stays used. What is left can't be used any more.")]

    def run(self, staff: Staff, target: Target[Grant], data: Mapping[str, Any]) -> Text:
        void_credits(actor=self.principal(staff, target, data), grant_id=target.thing.pk)
        return _("Took back what was left of the credits.")
