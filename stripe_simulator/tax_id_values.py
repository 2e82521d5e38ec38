"""What tax ids look like, by type (https://docs.stripe.com/billing/customer/tax-ids)."""

import re

from stripe_simulator.errors import StripeError, not_simulated

EU_VAT = (
    r"ATU\d{8}|BE[01]\d{9}|BG\d{9,10}|CY\d{8}[A-Z]|CZ\d{8,10}|DE\d{9}|DK\d{8}|EE\d{9}|EL\d{9}"
    r"|ES[A-Z0-9]\d{7}[A-Z0-9]|FI\d{8}|FR[A-Z0-9]{2}\d{9}|HR\d{11}|HU\d{8}|IE\d[A-Z0-9+*]\d{5}[A-Z]{1,2}"
    r"|IT\d{11}|LT(\d{9}|\d{12})|LU\d{8}|LV\d{11}|MT\d{8}|NL\d{9}B\d{2}|PL\d{10}|PT\d{9}|RO\d{2,10}"
    r"|SE\d{12}|SI\d{8}|SK\d{10}|XI(\d{9}|\d{12}|GD\d{3}|HA\d{3})"
)
FORMATS = {
    "ae_trn": r"\d{15}",
    "au_abn": r"\d{11}",
    "br_cnpj": r"\d{2}\.?\d{3}\.?\d{3}/?\d{4}-?\d{2}",
    "ca_bn": r"\d{9}",
    "ca_gst_hst": r"\d{9}RT\d{4}",
    "ch_uid": r"CHE-?\d{3}\.?\d{3}\.?\d{3}",
    "ch_vat": r"CHE-?\d{3}\.?\d{3}\.?\d{3} ?(MWST|TVA|IVA)",
    "de_stn": r"\d{10,11}",
    "es_cif": r"[A-Z]\d{7}[A-Z0-9]",
    "eu_oss_vat": r"EU\d{9}",
    "eu_vat": EU_VAT,
    "gb_vat": r"GB(\d{9}|\d{12}|GD\d{3}|HA\d{3})",
    "in_gst": r"\d{2}[A-Z]{5}\d{4}[A-Z][A-Z0-9]Z[A-Z0-9]",
    "jp_cn": r"\d{13}",
    "jp_trn": r"T\d{13}",
    "mx_rfc": r"[A-ZÑ&]{3,4}\d{6}[A-Z0-9]{3}",
    "no_vat": r"\d{9}MVA",
    "nz_gst": r"\d{9}",
    "sg_gst": r"M\d{8}[A-Z]|\d{9}[A-Z]",
    "us_ein": r"\d{2}-?\d{7}",
    "za_vat": r"4\d{9}",
}


def checked_value(kind: str, value: str) -> str:
    """Return the value as Stripe keeps it. Raises StripeError if it doesn't look like one of the type."""
    if kind not in FORMATS:
        raise not_simulated(f"knows no tax ids of the type {kind}", "type")
    kept = value.strip().upper()
    if not re.fullmatch(FORMATS[kind], kept.replace(" ", "") if kind != "ch_vat" else kept):
        raise StripeError(f"Invalid value for {kind}.", code="tax_id_invalid", param="value")
    return kept
