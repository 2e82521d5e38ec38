"""What people type about billing."""

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.endings import Feedback

COMMENT_LENGTH = 500


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
