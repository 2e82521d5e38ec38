"""Invoices as rows, and the few that *Billing & usage* shows."""

import uuid
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet

from billing.invoice_states import InvoiceState, state_of
from billing.models import Invoice, InvoiceStatus
from orgs.compiled import compiled

LATEST = 5
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
    customer_id: str
    charged_automatically: bool
    next_attempt_at: datetime | None
    due_at: datetime | None
    issued_at: datetime
    billed_from: date | None
    billed_until: date | None

    def __str__(self) -> str:
        return self.number or self.stripe_id

    @property
    def state(self) -> InvoiceState:
        return state_of(self)


@compiled(InvoiceRow)
def _latest_and_open(organization: uuid.UUID) -> QuerySet[Invoice, Any]:
    newest_first = Invoice.objects.for_org(organization).issued().order_by("-issued_at", "-id")
    latest, unpaid = (rows.values_list(*InvoiceRow._fields) for rows in (newest_first, newest_first.open()))
    return latest[:LATEST].union(unpaid[:OPEN_SHOWN]).order_by("-issued_at", "-id")


def latest_and_open(organization_id: uuid.UUID) -> tuple[list[InvoiceRow], list[InvoiceRow]]:
    """The latest invoices, and those still to be paid, newest first, in one statement."""
    found = _latest_and_open(organization_id)
    return found[:LATEST], [invoice for invoice in found if invoice.status == InvoiceStatus.OPEN]
