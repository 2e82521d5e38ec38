"""Who invoices: the company that runs this portal, as its invoices name it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings


@dataclass(frozen=True)
class Issuer:
    name: str
    address: Sequence[str]
    tax_id: str


def issuer_of(document: Mapping[str, Any]) -> Issuer:
    """``document``: of an invoice. What the settings don't say is as Stripe has it."""
    return Issuer(
        name=settings.ISSUER_NAME or document["issuer"] or settings.PRODUCT_NAME,
        address=settings.ISSUER_ADDRESS,
        tax_id=settings.ISSUER_TAX_ID,
    )
