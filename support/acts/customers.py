"""What staff do about an organization's customer at Stripe: more time to pay."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.graces import extend_grace, grace_of
from orgs.dates import day
from orgs.models import Organization
from orgs.policy import Permission
from support.acts.base import ActForm, StaffAct, Target, Text, found
from support.principals import Staff

A_WEEK = timedelta(days=7)


class GraceForm(ActForm):
    until = forms.DateField(
        label=gettext_lazy("Until"),
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=gettext_lazy("The last day, in UTC."),
    )

    field_order = ["until", "ticket", "reason"]


class ExtendGrace(StaffAct[Organization]):
    name = "extend-grace"
    permission = Permission.GRACE_EXTEND
    submit = gettext_lazy("Give more time")
    form_class = GraceForm
    tone = "primary"

    def find(self, key: str) -> Target[Organization]:
        organization = found(Organization.objects.all(), key)
        return Target(organization, organization)

    def question(self, target: Target[Organization]) -> Text:
        return _("Give %(organization)s more time to pay?") % {"organization": target.thing.name}

    def consequences(self, target: Target[Organization]) -> Sequence[Text]:
        grace = grace_of(target.thing)
        if grace is None:
            return [_("Nothing is past due here, so there is no end to put off.")]
        now = (
            _("Now everything keeps working until %(day)s.") % {"day": day(grace.until)}
            if grace.until
            else _("Now everything keeps working as long as Stripe tries to be paid.")
        )
        return [
            _("Everything keeps working until then. Stripe's attempts go on."),
            _("%(now)s At most until %(last)s.") % {"now": now, "last": day(grace.last)},
        ]

    def shown(self, target: Target[Organization]) -> str:
        grace = grace_of(target.thing)
        return grace.shown if grace else ""

    def initial(self, target: Target[Organization]) -> dict[str, Any]:
        grace = grace_of(target.thing)
        return {"until": grace.first - timedelta(days=1) + A_WEEK} if grace else {}

    def run(self, staff: Staff, target: Target[Organization], data: Mapping[str, Any]) -> Text:
        extend_grace(actor=self.principal(staff, target, data), until=data["until"], shown=data["shown"])
        return _("Everything keeps working until %(day)s.") % {"day": day(data["until"])}
