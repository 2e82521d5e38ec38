"""Which span of usage somebody asks for."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from usage.periods import Granularity
from usage.spans import EARLIEST, MOST_DAYS, Span, usual_span

GRANULARITIES = {
    Granularity.HOURLY: _("Hour"),
    Granularity.DAILY: _("Day"),
    Granularity.WEEKLY: _("Week"),
    Granularity.MONTHLY: _("Month"),
}


def _day_field(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"invalid": _("Enter a day.")},
    )


class SpanForm(forms.Form):
    """All of it is optional: without days, the usual span up to today. ``span``: once it is valid."""

    by = forms.TypedChoiceField(
        label=_("Period"),
        required=False,
        choices=list(GRANULARITIES.items()),
        coerce=Granularity,
        empty_value=Granularity.DAILY,
        error_messages={"invalid_choice": _("Choose hour, day, week or month.")},
    )
    first = _day_field(_("From"))
    last = _day_field(_("To"))
    span: Span

    def clean_first(self) -> date | None:
        first: date | None = self.cleaned_data["first"]
        if first and first < EARLIEST:
            raise ValidationError(_("Choose a day after 1999."))
        return first

    def clean_last(self) -> date | None:
        last: date | None = self.cleaned_data["last"]
        if last and last < EARLIEST:
            raise ValidationError(_("Choose a day after 1999."))
        # Nothing is counted ahead.
        return min(last, timezone.now().date()) if last else None

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = self.cleaned_data
        if self.errors:
            return values
        usual = usual_span(values["by"], values["last"])
        span = Span(values["by"], values["first"] or usual.first, usual.last)
        if span.days < 1:
            self.add_error("first", _("Choose a day up to the last one, and not after today."))
        elif span.too_long:
            self.add_error("first", _too_long(span.granularity))
        self.span = span
        return values


def _too_long(granularity: Granularity) -> str:
    days = MOST_DAYS[granularity]
    return ngettext(
        "By the %(period)s, choose at most %(days)s day.",
        "By the %(period)s, choose at most %(days)s days.",
        days,
    ) % {"period": str(GRANULARITIES[granularity]).lower(), "days": days}
