"""To whom invoices are billed, line by line, as on the document."""

from collections.abc import Iterable, Mapping
from typing import Any

from billing.countries import country_name


def party_lines(name: str, address: Mapping[str, str], tax_ids: Iterable[str]) -> list[str]:
    """``address``: see ``billing.gateway.records.Address``. Lines that say nothing are left out."""
    given = {field: address.get(field, "") for field in ("line1", "line2", "state")}
    city = " ".join(filter(None, (address.get("postal_code"), address.get("city"))))
    place = ", ".join(filter(None, (city, given["state"])))
    country = country_name(address["country"]) if address.get("country") else ""
    return [line for line in (name, given["line1"], given["line2"], place, country, *tax_ids) if line]


def lines_of_party(party: Mapping[str, Any]) -> list[str]:
    """Of a ``billing.gateway.records.Party``, as an invoice keeps it."""
    return party_lines(party["name"], party["address"], party["tax_ids"])
