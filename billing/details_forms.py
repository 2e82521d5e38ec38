"""What people type about the invoices to come."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.validators import validate_email
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.countries import INVOICE_LOCALES, countries, language_name
from billing.details import LONGEST_FIELD, MOST_COPIES, tax_id_name
from billing.gateway.tax_ids import TAX_ID_TYPES
from billing.models.accounts import ADDRESS_FIELDS
from orgs.services import Change

NO_CHOICE = gettext_lazy("Not chosen")
# What of a request Stripe did not accept, and where the person typed it.
FIELDS = {
    "name": "name",
    "email": "email",
    "preferred_locales": "locale",
    "invoice_settings[custom_fields]": "po_number",
    **{f"address[{name}]": name for name in ADDRESS_FIELDS},
}
# https://docs.stripe.com/error-codes
REFUSALS = {
    "country_code_invalid": gettext_lazy("Stripe does not know this country. Choose another one."),
    "email_invalid": gettext_lazy("Stripe does not accept this mail address. Check it."),
    "tax_id_invalid": gettext_lazy("This is no number of that kind. Check both."),
}
REFUSED = gettext_lazy("Stripe does not accept this. Check it.")


class LongSelect(forms.Select):
    """Its options are written in one go: Django renders a template for each, most of this page's time."""

    def render(
        self,
        name: str,
        value: Any,
        attrs: dict[str, Any] | None = None,
        renderer: Any = None,  # noqa: ARG002 - Django's signature
    ) -> SafeString:
        chosen = str(value or "")
        options = (
            (format_html(' value="{}"{}', code, " selected" if code == chosen else ""), label)
            for code, label in self.choices
        )
        return format_html(
            "<select{}>{}</select>",
            flatatt(self.build_attrs(self.attrs, {**(attrs or {}), "name": name})),
            format_html_join("", "<option{}>{}</option>", options),
        )


class Addresses(forms.CharField):
    """Mail addresses, one in each line; each once, in their order."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override] # a list, unlike its base
        if isinstance(value, list):
            return value
        lines = (line.strip() for line in (super().to_python(value) or "").splitlines())
        return list(dict.fromkeys(line for line in lines if line))

    def validate(self, value: list[str]) -> None:
        super().validate("\n".join(value))
        if len(value) > MOST_COPIES:
            raise forms.ValidationError(_("Write down %(most)s at most.") % {"most": MOST_COPIES})
        for address in value:
            try:
                validate_email(address)
            except forms.ValidationError:
                words = _("“%(address)s” is no mail address. Write one in each line.")
                raise forms.ValidationError(words % {"address": address}) from None

    def run_validators(self, value: Any) -> None:
        """Each has been looked at."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(initial) != self.to_python(data)


class DetailsForm(forms.Form):
    """Beside each value the form carries what its page showed. ``details``: see ``details_of``."""

    name = forms.CharField(
        max_length=150,
        label=gettext_lazy("Legal name"),
        help_text=gettext_lazy(
            "If it is not the organization's name, renaming the organization does not change it."
        ),
    )
    line1 = forms.CharField(max_length=200, required=False, label=gettext_lazy("Street and number"))
    line2 = forms.CharField(max_length=200, required=False, label=gettext_lazy("Building or department"))
    postal_code = forms.CharField(max_length=20, required=False, label=gettext_lazy("Postal code"))
    city = forms.CharField(max_length=100, required=False, label=gettext_lazy("City"))
    state = forms.CharField(max_length=100, required=False, label=gettext_lazy("State or province"))
    country = forms.ChoiceField(required=False, widget=LongSelect, label=gettext_lazy("Country"))
    po_number = forms.CharField(
        max_length=LONGEST_FIELD,
        required=False,
        label=gettext_lazy("PO number"),
        help_text=gettext_lazy("On every coming invoice, until you change it."),
    )
    locale = forms.ChoiceField(required=False, widget=LongSelect, label=gettext_lazy("Invoice language"))
    email = forms.EmailField(
        max_length=512,
        required=False,
        label=gettext_lazy("Mail for invoices"),
        help_text=gettext_lazy("Printed on invoices, and where Stripe sends its own mails about them."),
    )
    copies_to = Addresses(
        required=False,
        label=gettext_lazy("Further mails for invoices"),
        help_text=gettext_lazy(
            "One in each line, list addresses too. Each gets a mail with every new invoice: a link to "
            "Stripe's page, which opens without signing in."
        ),
    )

    def __init__(self, data: Any = None, *, details: Mapping[str, Any]) -> None:
        self.details = details
        initial = {**details, **details["address"]}
        super().__init__(data, initial=initial)
        self._offer("country", countries(), initial["country"])
        self._offer("locale", [(code, language_name(code)) for code in INVOICE_LOCALES], initial["locale"])
        for field in self.fields.values():
            field.show_hidden_initial = True

    def _offer(self, name: str, choices: Iterable[tuple[str, str]], now: str) -> None:
        """What there is now stays a choice, also one that the portal doesn't offer."""
        offered = list(choices)
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the types
        extra = [(now, now)] if now and now not in dict(offered) else []
        # Stripe can't be told to forget a language.
        unset = [] if name == "locale" and now else [("", NO_CHOICE)]
        field.choices = [*unset, *extra, *offered]

    def changes(self) -> dict[str, Change]:
        """What the person changed, once the form is valid, by the parts of the details."""
        changed = set(self.changed_data)
        found: dict[str, Change] = {
            name: Change(self._seen(name), self.cleaned_data[name])
            for name in ("name", "email", "po_number", "locale", "copies_to")
            if name in changed
        }
        if changed.intersection(ADDRESS_FIELDS):
            seen = {name: self._seen(name) for name in ADDRESS_FIELDS}
            found["address"] = Change(seen, {name: self.cleaned_data[name] for name in ADDRESS_FIELDS})
        return found

    def _seen(self, name: str) -> Any:
        """What the page showed; a form that doesn't say is taken to have shown what there is."""
        shown = self.data.get(self[name].html_initial_name)
        return self.initial[name] if shown is None else self.fields[name].to_python(shown)

    def refuse(self, *, code: str, param: str) -> None:
        """Say at its field what Stripe did not accept."""
        place = next((field for name, field in FIELDS.items() if param.startswith(name)), None)
        self.add_error(place, str(REFUSALS.get(code, REFUSED)))


class TaxIdForm(forms.Form):
    type = forms.ChoiceField(widget=LongSelect, label=gettext_lazy("Kind"))
    value = forms.CharField(max_length=100, label=gettext_lazy("Number"))

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        field = self.fields["type"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the types
        named = sorted(((code, tax_id_name(code)) for code in TAX_ID_TYPES), key=lambda one: one[1])
        field.choices = [("", gettext_lazy("Choose a kind")), *named]

    def refuse(self, *, code: str, param: str) -> None:
        self.add_error(param if param in self.fields else None, str(REFUSALS.get(code, REFUSED)))
