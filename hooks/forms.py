"""What people type about webhooks."""

import uuid
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.encoding import iri_to_uri
from django.utils.translation import gettext_lazy as _

from hooks.addresses import Unfit, UnfitAddress, ensure_addresses_fit, target_of
from hooks.announcements import BILLING, PEOPLE
from hooks.models import Endpoint

DAMAGED = dict.fromkeys(
    ["required", "invalid"], _("This form is damaged. Reload the page and fill it in again.")
)


class EndpointForm(forms.Form):
    """``key``: drawn with the page, so that the form sent again makes no second endpoint.

    ``version``: of the endpoint that the page showed, where there is one.
    """

    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        help_text=_("It begins with https:// and can be reached from the internet."),
        widget=forms.URLInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Enter the address of your server.")},
    )
    people = forms.MultipleChoiceField(
        label=_("About people and the organization"),
        required=False,
        choices=[(told.code, told.label) for told in PEOPLE],
        widget=forms.CheckboxSelectMultiple,
    )
    billing = forms.MultipleChoiceField(
        label=_("About billing"),
        required=False,
        choices=[(told.code, told.label) for told in BILLING],
        widget=forms.CheckboxSelectMultiple,
    )
    key = forms.UUIDField(initial=uuid.uuid4, widget=forms.HiddenInput, error_messages=DAMAGED)
    version = forms.IntegerField(initial=0, widget=forms.HiddenInput, error_messages=DAMAGED)

    @classmethod
    def of(cls, endpoint: Endpoint) -> "EndpointForm":
        """As the endpoint is."""
        return cls(
            initial={
                "url": endpoint.url,
                "people": endpoint.events,
                "billing": endpoint.events,
                "version": endpoint.version,
            }
        )

    def clean_url(self) -> str:
        """Asks for the host's addresses, so call it outside any transaction."""
        url = iri_to_uri(self.cleaned_data["url"]) or ""
        try:
            target = target_of(url)
            URLValidator(schemes=["http", "https"], message=Unfit.MISSPELLED.label)(url)
            ensure_addresses_fit(target)
        except UnfitAddress as unfit:
            raise ValidationError(unfit.reason.label) from None
        return url

    def clean(self) -> dict[str, Any] | None:
        if not self.errors and not self.events:
            self.add_error("people", _("Choose at least one event."))
        return self.cleaned_data

    @property
    def events(self) -> list[str]:
        return [*self.cleaned_data.get("people", []), *self.cleaned_data.get("billing", [])]


class VersionForm(forms.Form):
    """``version``: of the endpoint that the page showed."""

    version = forms.IntegerField()
