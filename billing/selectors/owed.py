"""What is owed now, why it isn't paid, and whether what was tried can still pay it."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import Count, QuerySet, Sum, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from billing.declines import asks_for_another
from billing.invoice_states import InvoiceState
from billing.methods import Method, MethodState, method_name
from billing.models import Invoice, PaymentStatus
from billing.selectors.invoices import OPEN_SHOWN, InvoiceRow
from orgs.compiled import compiled

SHOWN = 5


class OwedSum(NamedTuple):
    """What is owed in one currency, in minor units, on so many invoices."""

    currency: str
    amount: int
    invoices: int


class UnpaidRow(NamedTuple):
    """``amount``, ``invoices``: of all in its currency. ``payments``: see ``gateway.records.Payment``."""

    id: uuid.UUID
    currency: str
    amount: int
    invoices: int
    payments: list[Mapping[str, Any]]


@compiled(UnpaidRow)
def _unpaid(organization: uuid.UUID) -> QuerySet[Invoice, Any]:
    """The newest, among them one at least of each currency."""
    unpaid = Invoice.objects.for_org(organization).open().exclude(payment_status=PaymentStatus.PROCESSING)
    summed = unpaid.annotate(
        place=Window(RowNumber(), partition_by="currency", order_by=["-created_at", "-id"]),
        amount=Window(Sum("amount_remaining"), partition_by="currency"),
        invoices=Window(Count("id"), partition_by="currency"),
    )
    rows = summed.order_by("place", "currency", "id")
    return rows.values_list("id", "currency", "amount", "invoices", "document__payments")[:OPEN_SHOWN]


@dataclass(frozen=True)
class OwedInvoice:
    """``tried``: the name of what was refused last, empty where it isn't known.

    ``needs_another_method``: what would be tried again can't pay.
    """

    invoice: InvoiceRow
    tried: str
    needs_another_method: bool

    @property
    def comes_by_itself(self) -> bool:
        """Nothing was tried yet, and it is known when that will be."""
        return self.invoice.state is InvoiceState.DUE and self.invoice.next_attempt_at is not None


@dataclass(frozen=True)
class Owed:
    """``invoices``: some of them, the worst first, then the oldest. ``sums``: over all, by currency.

    ``is_bad``: something failed, is overdue, or waits for the person. ``is_due_later``: nothing has to be
    paid today. ``needs_another_method``: of one of them.
    """

    sums: list[OwedSum]
    invoices: list[OwedInvoice]
    is_bad: bool
    is_due_later: bool
    needs_another_method: bool

    @property
    def count(self) -> int:
        return sum(one.invoices for one in self.sums)


def owed_of(
    organization_id: uuid.UUID, unpaid: list[InvoiceRow], *, in_use: Collection[Method]
) -> Owed | None:
    """None: nothing is owed. ``unpaid``: the open invoices, newest first; ``in_use``: what pays now."""
    found = _unpaid(organization_id)
    owed = [invoice for invoice in unpaid if invoice.state.is_owed]
    if not owed:
        return None
    tried = {row.id: _name_of_failed(row.payments) for row in found}
    told = [_told(invoice, tried.get(invoice.id, ""), in_use) for invoice in owed]
    return Owed(
        sums=sorted({OwedSum(row.currency, row.amount, row.invoices) for row in found}),
        invoices=sorted(told, key=lambda one: (one.invoice.state.tone != "bad", one.invoice.issued_at))[
            :SHOWN
        ],
        is_bad=any(invoice.state.tone == "bad" for invoice in owed),
        is_due_later=not any(_is_due(invoice) for invoice in owed),
        needs_another_method=any(one.needs_another_method for one in told),
    )


def _told(invoice: InvoiceRow, tried: str, in_use: Collection[Method]) -> OwedInvoice:
    return OwedInvoice(invoice, tried, _needs_another(invoice, tried, in_use))


def _is_due(invoice: InvoiceRow) -> bool:
    return invoice.due_at is None or invoice.due_at <= timezone.now() or invoice.state.tone == "bad"


def _name_of_failed(payments: list[Mapping[str, Any]]) -> str:
    failed = [one for one in payments if one["status"] == "failed" and one["kind"]]
    return method_name(failed[0]["kind"], failed[0]["brand"], failed[0]["last4"]) if failed else ""


def _needs_another(invoice: InvoiceRow, tried: str, in_use: Collection[Method]) -> bool:
    """Not where another one has taken the place of what was tried: that may well pay."""
    if invoice.state is not InvoiceState.FAILED:
        return False
    again = [method for method in in_use if not tried or method.name == tried]
    if any(method.state is MethodState.EXPIRED for method in again):
        return True
    return asks_for_another(invoice.failure_code) and bool(again or not in_use)
