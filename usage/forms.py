"""Which span of usage somebody asks for."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.validators import validate_display_name
from usage.models import LONGEST_LABEL
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


class LabelForm(forms.Form):
    """A cost label for stacks. ``shown``: the labels that the page showed, by the chosen stacks' names."""

    label = forms.CharField(
        required=False,
        max_length=LONGEST_LABEL,
        validators=[validate_display_name],
        error_messages={"max_length": _("Use at most 50 characters for a label.")},
    )

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        self.shown = dict(choice_in(value) for value in data.getlist("stack"))

    @property
    def first_error(self) -> str:
        return str(next(iter(self.errors.values()))[0])

    def clean(self) -> None:
        if not self.shown:
            raise ValidationError(_("Choose at least one stack."))


def choice_of(name: str, label: str) -> str:
    """The value by which a stack is chosen that the page shows with this label."""
    return f"{len(label)}~{label}{name}"


def choice_in(value: str) -> tuple[str, str]:
    """Name and label of a choice. What isn't one names no stack."""
    length, _tilde, rest = value.partition("~")
    end = int(length) if length.isdecimal() and len(length) < 4 else 0
    return rest[end:], rest[:end]
