"""What people type about billing."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.endings import Feedback
from billing.selectors.estimates import AVERAGE_MONTH_HOURS, LONGEST_MONTH_HOURS, SHORTEST_MONTH_HOURS
from orgs.currencies import in_major_units, in_minor_units
from orgs.editions import CREDIT_CURRENCY
from orgs.forms import FormOfChanges
from orgs.models import Organization
from orgs.services import Change

COMMENT_LENGTH = 500
MOST_RESOURCES = 100_000_000
MOST_DOLLARS = 100_000_000


class LimitsForm(FormOfChanges, forms.Form):
    """The limits of use, by the organization's columns. The budget is typed in whole US dollars."""

    usage_budget = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_DOLLARS,
        label=_("Budget for a period (US dollars)"),
        help_text=_("For credits on demand, before tax. Leave empty, and there is none."),
        error_messages=dict.fromkeys(
            ["invalid", "min_value", "max_value"],
            _("Give whole US dollars, from 1 to 100,000,000, or leave this empty."),
        ),
    )
    usage_stops = forms.BooleanField(
        required=False,
        label=_("Tell the product to stop at 100%"),
        help_text=_("Of the budget, or without one of the credits."),
    )

    def __init__(self, *args: Any, organization: Organization) -> None:
        budget = organization.usage_budget
        dollars = None if budget is None else int(in_major_units(budget, CREDIT_CURRENCY))
        super().__init__(*args, initial={"usage_budget": dollars, "usage_stops": organization.usage_stops})

    def changes(self) -> dict[str, Change]:
        """With the budget in cents."""
        changes = super().changes()
        if "usage_budget" in changes:
            changes["usage_budget"] = Change(*map(_in_cents, changes["usage_budget"]))
        return changes


def _in_cents(dollars: object) -> object:
    """What isn't a number stays: no budget is like it."""
    return in_minor_units(Decimal(dollars), CREDIT_CURRENCY) if isinstance(dollars, int) else dollars


class CancelForm(forms.Form):
    feedback = forms.ChoiceField(
        choices=Feedback.choices,
        required=False,
        widget=forms.RadioSelect,
        label=_("Why do you cancel? (optional)"),
    )
    comment = forms.CharField(
        required=False,
        max_length=COMMENT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        label=_("What could we do better?"),
    )


class EstimateForm(forms.Form):
    """A month to reckon with; what is left out is as it is now, and an average month."""

    resources = forms.IntegerField(
        label=_("Resources"), required=False, min_value=0, max_value=MOST_RESOURCES
    )
    hours = forms.IntegerField(
        label=_("Hours of the month"),
        required=False,
        min_value=SHORTEST_MONTH_HOURS,
        max_value=LONGEST_MONTH_HOURS,
    )

    def clean_hours(self) -> int:
        return self.cleaned_data["hours"] or AVERAGE_MONTH_HOURS
