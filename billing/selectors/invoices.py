"""Lists of invoices, and one invoice."""

import uuid
from datetime import date, datetime
from functools import partial
from typing import Any, NamedTuple

from django.db.models import QuerySet

from billing.invoice_states import InvoiceState, state_of
from billing.models import Invoice, InvoiceStatus
from orgs.compiled import compiled
from orgs.models import Organization
from orgs.rows import Key, Page, fetch_page, newer_than, older_than

LATEST = 5
PAGE_SIZE = 25
# More open invoices than this are told of on the list of invoices.
OPEN_SHOWN = 20


class InvoiceRow(NamedTuple):
    """An invoice as lists and alerts show it. Amounts in minor units."""

    id: uuid.UUID
    number: str
    stripe_id: str
    status: str
    payment_status: str
    failure_code: str
    currency: str
    total: int
    amount_due: int
    amount_paid: int
    amount_remaining: int
    refunded: int
    credited: int
    charged_automatically: bool
    next_attempt_at: datetime | None
    due_at: datetime | None
    issued_at: datetime
    billed_from: date | None
    billed_until: date | None
    created_at: datetime

    def __str__(self) -> str:
        return self.number or self.stripe_id

    @property
    def state(self) -> InvoiceState:
        return state_of(self)


@compiled(InvoiceRow)
def _latest_and_open(organization: uuid.UUID) -> QuerySet[Invoice, Any]:
    newest_first = Invoice.objects.for_org(organization).issued().order_by("-created_at", "-id")
    latest, unpaid = (rows.values_list(*InvoiceRow._fields) for rows in (newest_first, newest_first.open()))
    return latest[:LATEST].union(unpaid[:OPEN_SHOWN]).order_by("-created_at", "-id")


@compiled(InvoiceRow)
def _older(organization: uuid.UUID, at: datetime, pk: uuid.UUID) -> QuerySet[Invoice, Any]:
    issued = Invoice.objects.for_org(organization).issued()
    rows = older_than((at, pk), issued, time="created_at").values_list(*InvoiceRow._fields)
    return rows[: PAGE_SIZE + 1]


@compiled(InvoiceRow)
def _newer(organization: uuid.UUID, at: datetime, pk: uuid.UUID) -> QuerySet[Invoice, Any]:
    issued = Invoice.objects.for_org(organization).issued()
    rows = newer_than((at, pk), issued, time="created_at").values_list(*InvoiceRow._fields)
    return rows[: PAGE_SIZE + 1]


def latest_and_open(organization_id: uuid.UUID) -> tuple[list[InvoiceRow], list[InvoiceRow]]:
    """The latest invoices, and those still to be paid, newest first, in one statement."""
    found = _latest_and_open(organization_id)
    return found[:LATEST], [invoice for invoice in found if invoice.status == InvoiceStatus.OPEN]


def invoice_list(
    organization: Organization, *, older_than: uuid.UUID | None, newer_than: uuid.UUID | None
) -> Page[InvoiceRow]:
    """The page next to an invoice; the first one where there is none, or the invoice isn't known here."""
    return fetch_page(
        older=partial(_older, organization.pk),
        newer=partial(_newer, organization.pk),
        after=_key_of(organization, older_than),
        before=_key_of(organization, newer_than),
        size=PAGE_SIZE,
    )


def _key_of(organization: Organization, invoice_id: uuid.UUID | None) -> Key | None:
    if invoice_id is None:
        return None
    issued = Invoice.objects.for_org(organization).issued()
    return issued.filter(pk=invoice_id).values_list("created_at", "id").first()
