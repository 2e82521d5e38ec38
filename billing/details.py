"""Billing details: what people may change of them, as the mirror has them, and what tax ids are called."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing.countries import country_name
from billing.models import BillingAccount

# Stripe has no field for it; this is the name of the one that invoices show.
PO_NUMBER = "PO number"
MOST_FIELDS, LONGEST_FIELD = 4, 140
MOST_COPIES = 5

# What people change at once, by its code.
PARTS: dict[str, Promise] = {
    "name": _("legal name"),
    "address": _("address"),
    "email": _("mail for invoices"),
    "po_number": _("PO number"),
    "locale": _("invoice language"),
    "copies_to": _("further mails for invoices"),
}
# https://docs.stripe.com/api/tax_ids/object#tax_id_object-verification-status
TAX_ID_STATES: dict[str, tuple[Promise, str]] = {
    "verified": (_("Verified"), "good"),
    "pending": (_("Checking"), ""),
    "unverified": (_("Not found"), "warn"),
}
NOT_CHECKED = (_("Not checked"), "")
# A part too, changed by acts of its own.
TAX_ID = "tax_id"


def part_name(code: str) -> str:
    return gettext("tax id") if code == TAX_ID else str(PARTS.get(code, code))


def details_of(account: BillingAccount) -> dict[str, Any]:
    """Each part as it is now. Without a name at Stripe invoices will carry the organization's."""
    return {
        "name": account.name or account.organization.name,
        "address": account.address,
        "email": account.email,
        "po_number": po_number_of(account),
        "locale": account.invoice_locale,
        "copies_to": account.copies_to,
    }


def po_number_of(account: BillingAccount) -> str:
    found = [one["value"] for one in account.invoice_fields if one["name"] == PO_NUMBER]
    return str(found[0]) if found else ""


def changed_at_stripe(account: BillingAccount, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that make the wanted parts so: https://docs.stripe.com/api/customers/update.

    An empty text unsets what there was. Custom fields are set all at once, so the others are sent along.
    """
    params = {name: wanted[name] for name in ("name", "email") if name in wanted}
    if "address" in wanted:
        params["address"] = wanted["address"] if any(wanted["address"].values()) else ""
    if wanted.get("locale"):
        params["preferred_locales"] = [wanted["locale"]]
    if "po_number" in wanted:
        fields = [one for one in account.invoice_fields if one["name"] != PO_NUMBER]
        if wanted["po_number"]:
            fields = [{"name": PO_NUMBER, "value": wanted["po_number"]}, *fields]
        params["invoice_settings"] = {"custom_fields": fields or ""}
    return params


def tax_id_name(code: str) -> str:
    """Such as *Germany: STN*: Stripe's types are a country's code, and how the number is called there."""
    country, _separator, kind = code.partition("_")
    return f"{country_name(country)}: {kind.replace('_', ' ').upper()}"
