"""*Billing details*: what coming invoices will say of the organization."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise

from billing.details import NOT_CHECKED, TAX_ID_STATES, details_of, tax_id_name
from billing.models import BillingAccount
from billing.parties import party_lines
from orgs.models import Organization


@dataclass(frozen=True)
class TaxIdRow:
    """``tone``: of its state."""

    id: str
    name: str
    value: str
    state: Promise
    tone: str


@dataclass(frozen=True)
class Head:
    """The top of the next invoice: to whom it is billed, and what it says beside."""

    lines: list[str]
    po_number: str
    email: str


@dataclass(frozen=True)
class DetailsPage:
    """``details``: see ``billing.details.details_of``."""

    details: dict[str, Any]
    tax_ids: list[TaxIdRow]
    head: Head
    as_of: datetime | None


def account_with_details(organization: Organization) -> BillingAccount:
    """Its billing account; before there is one, what it will be like."""
    account = BillingAccount.objects.filter(organization=organization).first() or BillingAccount()
    account.organization = organization
    return account


def details_page(organization: Organization) -> DetailsPage:
    account = account_with_details(organization)
    details = details_of(account)
    tax_ids = [_tax_id_row(one) for one in account.tax_ids]
    return DetailsPage(
        details=details,
        tax_ids=tax_ids,
        head=head_of(details, tax_ids),
        as_of=account.as_of,
    )


def head_of(details: Mapping[str, Any], tax_ids: list[TaxIdRow]) -> Head:
    lines = party_lines(details["name"], details["address"], [one.value for one in tax_ids])
    return Head(lines=lines, po_number=details["po_number"], email=details["email"])


def _tax_id_row(saved: Mapping[str, str]) -> TaxIdRow:
    state, tone = TAX_ID_STATES.get(saved["status"], NOT_CHECKED)
    return TaxIdRow(saved["id"], tax_id_name(saved["type"]), saved["value"], state, tone)
