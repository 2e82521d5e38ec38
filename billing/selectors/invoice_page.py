"""One invoice as a document."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from billing.invoice_states import InvoiceState, state_of
from billing.issuer import Issuer, issuer_of
from billing.models import Invoice
from billing.sums import Part, Return, Row, returns_of, unit_price_of
from orgs.models import Organization


@dataclass(frozen=True)
class Line:
    """``unit_price`` and ``amount`` in minor units; ``unit_price`` is None where it would not lead to it."""

    description: str
    begins: date
    ends: date
    quantity: str
    unit_price: Decimal | None
    amount: int


@dataclass(frozen=True)
class InvoicePage:
    invoice: Invoice
    state: InvoiceState
    issuer: Issuer
    lines: list[Line]
    sums: list[Row]
    returns: list[Return]

    @property
    def can_be_paid(self) -> bool:
        """Whether Stripe's page takes a payment now: not while one is on its way."""
        asked = self.state.is_owed or self.state is InvoiceState.WRITTEN_OFF
        return asked and self.invoice.amount_remaining > 0 and bool(self.invoice.hosted_url)

    @property
    def only_refunds(self) -> bool:
        """Whether all that was given back had been paid, and went back to where it came from."""
        notes = [one.note for one in self.returns if one.note]
        return all(note["refunded"] == note["amount"] for note in notes)

    @cached_property
    def returned(self) -> int:
        return sum(one.amount for one in self.returns)

    @property
    def received(self) -> list[Mapping[str, Any]]:
        return [one for one in self.invoice.document["payments"] if one["status"] == "paid"]

    @property
    def tried(self) -> Mapping[str, Any] | None:
        """The payment that ``payment_status`` is about."""
        status = self.invoice.payment_status
        payments = self.invoice.document["payments"]
        return next((one for one in payments if status and one["status"] == status), None)

    @property
    def parts(self) -> set[Part]:
        return {row.part for row in self.sums}


def issued_invoice(organization: Organization, invoice_id: uuid.UUID) -> Invoice:
    """One invoice with its lines. Raises Invoice.DoesNotExist, also for a draft or another organization's."""
    invoices = Invoice.objects.for_org(organization).issued()
    return invoices.select_related("organization__billing_account").get(pk=invoice_id)


def page_of(invoice: Invoice) -> InvoicePage:
    return InvoicePage(
        invoice=invoice,
        state=state_of(invoice),
        issuer=issuer_of(invoice.document),
        lines=[_line(line) for line in invoice.document["lines"]],
        sums=invoice.sums,
        returns=returns_of(invoice.document),
    )


def _line(line: Mapping[str, Any]) -> Line:
    return Line(
        description=line["description"],
        begins=date.fromisoformat(line["period_start"]),
        ends=date.fromisoformat(line["period_end"]),
        quantity=line["quantity"],
        unit_price=unit_price_of(line),
        amount=line["amount"],
    )
