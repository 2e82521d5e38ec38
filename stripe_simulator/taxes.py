"""Taxes on lines: by tax rates that were set, or by the customer's country.

See https://docs.stripe.com/tax/tax-rates and https://docs.stripe.com/tax.
The automatic kind knows one rate for a country, and no tax where it knows none.
"""

from decimal import Decimal
from typing import Any

from stripe_simulator.discounts import net_of, own_cut
from stripe_simulator.money import rounded
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]

COUNTRY_RATES: dict[str, tuple[str, str]] = {
    "AT": ("VAT", "20"),
    "AU": ("GST", "10"),
    "BE": ("VAT", "21"),
    "CH": ("VAT", "8.1"),
    "DE": ("VAT", "19"),
    "ES": ("VAT", "21"),
    "FR": ("VAT", "20"),
    "GB": ("VAT", "20"),
    "IE": ("VAT", "23"),
    "IT": ("VAT", "22"),
    "JP": ("JCT", "10"),
    "NL": ("VAT", "21"),
    "NZ": ("GST", "15"),
    "PT": ("VAT", "23"),
    "SE": ("VAT", "25"),
}
EXEMPTIONS = {"exempt": "customer_exempt", "reverse": "reverse_charge"}


def find_rates(simulator: Simulator, ids: Any, *, param: str) -> list[Json]:
    """The tax rates that a parameter names. Raises StripeError for one that doesn't exist."""
    return [
        simulator.find("tax_rate", identifier, param=f"{param}[{index}]")
        for index, identifier in enumerate(ids or [])
    ]


def tax_lines(simulator: Simulator, invoice: Json) -> None:
    """Write each line's taxes, rounded line by line, on what its discounts leave."""
    _locate(invoice)
    for line in invoice["lines"]["data"]:
        line["taxes"] = _taxes(simulator, invoice, line, net_of(line))


def included_in_subtotal(simulator: Simulator, invoice: Json, line: Json) -> int:
    """The tax included in a line before the invoice's discounts."""
    return inclusive(_taxes(simulator, invoice, line, line["amount"] - own_cut(line)))


def inclusive(taxes: list[Json]) -> int:
    return sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "inclusive")


def exclusive(taxes: list[Json]) -> int:
    return sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "exclusive")


def totals(lines: list[Json]) -> list[Json]:
    """The lines' taxes, summed up by rate."""
    found: dict[tuple[str, str, str], Json] = {}
    for tax in (tax for line in lines for tax in line["taxes"]):
        key = (tax["tax_rate_details"]["tax_rate"], tax["tax_behavior"], tax["taxability_reason"])
        if key in found:
            found[key]["amount"] += tax["amount"]
            found[key]["taxable_amount"] += tax["taxable_amount"]
        else:
            found[key] = dict(tax)
    return list(found.values())


def drop_tax_of_nowhere(invoice: Json) -> None:
    """An invoice that finalizes by itself does without automatic tax of a customer who is nowhere."""
    if invoice["automatic_tax"]["status"] == "requires_location_inputs":
        invoice["automatic_tax"] |= {
            "disabled_reason": "finalization_requires_location_inputs",
            "enabled": False,
            "status": None,
        }


def _locate(invoice: Json) -> None:
    """Say in a draft's `automatic_tax` whether the customer's country is known."""
    automatic = invoice["automatic_tax"]
    if automatic["enabled"]:
        known = (invoice["customer_address"] or {}).get("country")
        automatic["status"] = "complete" if known else "requires_location_inputs"


def _taxes(simulator: Simulator, invoice: Json, line: Json, net: int) -> list[Json]:
    rates, reason = _rates(simulator, invoice, line)
    exemption = EXEMPTIONS.get(invoice["customer_tax_exempt"])
    if rates and invoice["automatic_tax"]["enabled"] and _is_business_elsewhere(simulator, invoice):
        exemption = EXEMPTIONS["reverse"]
    if exemption:
        return [_tax(rate, 0, 0, exemption) for rate in rates]
    shares = [Decimal(str(rate["percentage"])) / 100 for rate in rates]
    included = [share for rate, share in zip(rates, shares, strict=True) if rate["inclusive"]]
    bare = Decimal(net) / sum(included, Decimal(1))
    amounts = [rounded(bare * share, invoice["currency"]) for share in shares]
    taxable = net - sum(amount for rate, amount in zip(rates, amounts, strict=True) if rate["inclusive"])
    return [_tax(rate, amount, taxable, reason) for rate, amount in zip(rates, amounts, strict=True)]


def _rates(simulator: Simulator, invoice: Json, line: Json) -> tuple[list[Json], str]:
    """The rates that hold for a line, and why: its own, else the invoice's, else the country's."""
    if invoice["automatic_tax"]["enabled"]:
        return _country_rates(simulator, invoice, line), "standard_rated"
    return line.get("simulated", {}).get("tax_rates") or invoice["default_tax_rates"], "not_available"


def _country_rates(simulator: Simulator, invoice: Json, line: Json) -> list[Json]:
    country = (invoice["customer_address"] or {}).get("country")
    if country not in COUNTRY_RATES:
        return []
    name, percentage = COUNTRY_RATES[country]
    price = simulator.store.get(((line["pricing"] or {}).get("price_details") or {}).get("price", ""))
    is_inclusive = bool(price and price["tax_behavior"] == "inclusive")
    identifier = f"txr_automatic_{country}_{'inclusive' if is_inclusive else 'exclusive'}"
    rate = simulator.store.get(identifier) or simulator.save(
        make_rate(
            simulator,
            id=identifier,
            active=False,
            country=country,
            display_name=name,
            inclusive=is_inclusive,
            jurisdiction=country,
            jurisdiction_level="country",
            percentage=float(percentage),
            effective_percentage=float(percentage),
            tax_type=name.lower(),
        )
    )
    return [rate]


def make_rate(simulator: Simulator, **given: Any) -> Json:
    return simulator.new(
        "tax_rate",
        "txr",
        **{
            "active": True,
            "country": None,
            "description": None,
            "effective_percentage": None,
            "flat_amount": None,
            "jurisdiction": None,
            "jurisdiction_level": None,
            "metadata": {},
            "rate_type": "percentage",
            "state": None,
            "tax_type": None,
            **given,
        },
    )


def _is_business_elsewhere(simulator: Simulator, invoice: Json) -> bool:
    """Whether a VAT number moves the tax to the customer: the seller is in the United States."""
    where = "AND customer = ? AND json_extract(body, '$.type') IN ('eu_vat', 'gb_vat')"
    return bool(simulator.store.select("tax_id", where=where, values=(invoice["customer"],), limit=1))


def _tax(rate: Json, amount: int, taxable: int, reason: str) -> Json:
    return {
        "amount": amount,
        "tax_behavior": "inclusive" if rate["inclusive"] else "exclusive",
        "tax_rate_details": {"tax_rate": rate["id"]},
        "taxability_reason": reason,
        "taxable_amount": taxable,
        "type": "tax_rate_details",
    }
