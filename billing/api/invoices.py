"""Invoices and their PDF."""

import uuid
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any

from django.http import HttpResponse
from django.utils.text import get_valid_filename
from ninja import Query, Schema
from ninja.errors import HttpError

from api.endpoints import Endpoints
from api.gate import ApiRequest, Needs
from api.paging import ROWS, Cursor, Limit, cursor_of, key_in, page_of
from billing import gateway
from billing.invoice_states import state_of
from billing.models import Invoice
from billing.selectors.invoice_list import STATES, InvoiceFilter
from billing.selectors.invoice_page import issued_invoice, lines_of
from billing.sums import Part
from orgs.policy import Permission
from orgs.rows import older_than

endpoints = Endpoints("Invoices")
# Those of invoices that have been issued.
IssuedState = StrEnum("IssuedState", {state.name: state.value for state in STATES})  # type: ignore[misc]


class InvoiceOut(Schema):
    """Sums in minor units. ``due_at``: of one that is sent; ``next_attempt_at``: of one that is charged.

    ``billed_from``, ``billed_until``: the days that it is for.
    """

    id: uuid.UUID
    number: str
    state: IssuedState
    currency: str
    total: int
    amount_due: int
    amount_paid: int
    amount_remaining: int
    refunded: int
    credited: int
    issued_at: datetime
    due_at: datetime | None
    next_attempt_at: datetime | None
    billed_from: date | None
    billed_until: date | None


class InvoicesOut(Schema):
    """``next``: the cursor of the next page; null on the last one."""

    data: list[InvoiceOut]
    next: str | None


class LineOut(Schema):
    description: str
    quantity: str
    amount: int
    begins: date
    ends: date


class RowOut(Schema):
    """A row of what it adds up to, from its lines to what is left to pay; ``amount`` with its sign."""

    part: Part
    amount: int


class InvoiceDocumentOut(InvoiceOut):
    """``note``: what it says beside. ``as_of``: when it was last seen to be so at Stripe."""

    note: str
    lines: list[LineOut]
    sums: list[RowOut]
    as_of: datetime


class Wanted(Schema):
    """Which invoices."""

    state: IssuedState | None = None
    year: Annotated[int | None, Query(ge=2000, le=2099, description="Issued in this year (UTC).")] = None


@endpoints.get("/billing/invoices", Needs(Permission.BILLING_VIEW), InvoicesOut)
def invoices(
    request: ApiRequest,
    wanted: Query[Wanted],
    cursor: Cursor = None,
    limit: Limit = ROWS,
) -> InvoicesOut:
    """List the invoices, latest first."""
    state = next((one for one in STATES if one.value == wanted.state), None)
    found = InvoiceFilter(state=state, year=wanted.year).of(request.organization).defer("document", "words")
    rows = list(older_than(key_in(cursor), found, time="issued_at")[: limit + 1])
    shown, following = page_of(rows, limit, lambda row: cursor_of(row.issued_at, row.pk))
    return InvoicesOut(data=[InvoiceOut(**_facts(one)) for one in shown], next=following)


@endpoints.get("/billing/invoices/{uuid:invoice_id}", Needs(Permission.BILLING_VIEW), InvoiceDocumentOut)
def invoice(request: ApiRequest, invoice_id: uuid.UUID) -> InvoiceDocumentOut:
    """Read an invoice with its lines and sums."""
    found = issued_invoice(request.organization, invoice_id)
    return InvoiceDocumentOut(
        **_facts(found),
        note=found.description,
        lines=[
            LineOut(
                description=line.description,
                quantity=line.quantity,
                amount=line.amount,
                begins=line.begins,
                ends=line.ends,
            )
            for line in lines_of(found)
        ],
        sums=[RowOut(part=row.part, amount=row.amount) for row in found.sums],
        as_of=found.as_of,
    )


@endpoints.file("/billing/invoices/{uuid:invoice_id}/pdf", Needs(Permission.BILLING_VIEW), "application/pdf")
def invoice_pdf(request: ApiRequest, invoice_id: uuid.UUID) -> HttpResponse:
    """Get an invoice as PDF."""
    found = issued_invoice(request.organization, invoice_id)
    try:
        with gateway.person_waits():
            pdf = gateway.invoice_pdf(found.stripe_id, known_url=found.pdf_url)
    except gateway.GatewayError:
        raise HttpError(503, "The PDF can't be fetched from Stripe right now. Try again later.") from None
    name = get_valid_filename(f"Invoice-{found}.pdf")
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(pdf, content_type="application/pdf", headers=disposition)


def _facts(found: Invoice) -> dict[str, Any]:
    """What the fields of an ``InvoiceOut`` say."""
    own = set(InvoiceOut.model_fields) - {"state"}
    return {**{name: getattr(found, name) for name in own}, "state": state_of(found).value}
