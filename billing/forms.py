"""What people type about billing."""

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.endings import Feedback
from billing.selectors.estimates import AVERAGE_MONTH_HOURS, LONGEST_MONTH_HOURS, SHORTEST_MONTH_HOURS

COMMENT_LENGTH = 500
MOST_RESOURCES = 100_000_000


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
