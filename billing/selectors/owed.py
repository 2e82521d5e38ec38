"""What is owed now, why it isn't paid, and whether what was tried can still pay it."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from django.db.models import Count, Exists, F, OuterRef, QuerySet, Sum, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from billing.invoice_states import InvoiceState
from billing.methods import Method, method_name, method_of
from billing.models import Invoice, PaymentStatus, StripeOperation, Subscription
from billing.paying import Bill, Way, saved_for, way_to_pay
from billing.selectors.invoices import OPEN_SHOWN, InvoiceRow
from orgs.compiled import compiled

SHOWN = 5


class OwedSum(NamedTuple):
    """What is owed in one currency, in minor units, on so many invoices."""

    currency: str
    amount: int
    invoices: int


class UnpaidRow(NamedTuple):
    """``amount``, ``invoices``: of all in its currency. ``payments``: see ``gateway.records.Payment``.

    ``under_way``: somebody has pressed to pay it, and it isn't known yet what became of that.
    """

    id: uuid.UUID
    currency: str
    amount: int
    invoices: int
    subscription_id: str
    hosted_url: str
    under_way: bool
    payments: list[Mapping[str, Any]]


@compiled(UnpaidRow)
def _unpaid(organization: uuid.UUID) -> QuerySet[Invoice, Any]:
    """The newest, among them one at least of each currency."""
    unpaid = Invoice.objects.for_org(organization).open().exclude(payment_status=PaymentStatus.PROCESSING)
    paying = StripeOperation.objects.paying().filter(stripe_id=OuterRef("stripe_id"))
    summed = unpaid.annotate(
        place=Window(RowNumber(), partition_by="currency", order_by=["-created_at", "-id"]),
        amount=Window(Sum("amount_remaining"), partition_by="currency"),
        invoices=Window(Count("id"), partition_by="currency"),
        under_way=Exists(paying),
        payments=F("document__payments"),
    )
    rows = summed.order_by("place", "currency", "id")
    return rows.values_list(*UnpaidRow._fields)[:OPEN_SHOWN]


@dataclass(frozen=True)
class OwedInvoice:
    """``tried``: the name of what was refused last, empty where it isn't known.

    ``method``: what would be charged. ``hosted_url``: of Stripe's page that takes a payment.
    """

    invoice: InvoiceRow
    tried: str
    method: Method | None
    way: Way
    hosted_url: str
    under_way: bool

    @property
    def leads_to_stripe(self) -> bool:
        """Whether it is paid on Stripe's page."""
        return self.way in {Way.CONFIRM, Way.AT_STRIPE} and bool(self.hosted_url)

    @property
    def comes_by_itself(self) -> bool:
        """Nothing was tried yet, and it is known when that will be."""
        return self.invoice.state is InvoiceState.DUE and self.invoice.next_attempt_at is not None


@dataclass(frozen=True)
class Owed:
    """``invoices``: some of them, the worst first, then the oldest. ``sums``: over all, by currency.

    ``bills``: what can be paid with what is saved, one press each. ``is_bad``: something failed, is overdue,
    or waits for the person, and is not being paid. ``is_due_later``: nothing has to be paid today.
    ``needs_another_method``: what would be charged for one of them can't pay, or nothing is saved.
    """

    sums: list[OwedSum]
    invoices: list[OwedInvoice]
    bills: list[Bill]
    is_bad: bool
    is_due_later: bool
    needs_another_method: bool

    @property
    def count(self) -> int:
        return sum(one.invoices for one in self.sums)

    @property
    def offers_another_method(self) -> bool:
        """Whether a button for it stands beside what is owed."""
        return any(one.way in {Way.CHARGE, Way.CONFIRM, Way.ANOTHER_METHOD} for one in self.invoices)

    @property
    def asks_to_pay(self) -> bool:
        """Whether paying is what the page asks for first: not what will be charged by itself."""
        return not self.needs_another_method and not self.invoices[0].comes_by_itself


@dataclass(frozen=True)
class WhatPays:
    """``customers``: the saved method of the customer. ``just_saved``: it is new, and pays everything."""

    customer_id: str
    current: Iterable[Subscription]
    customers: Mapping[str, Any] | None
    just_saved: bool


def owed_of(organization_id: uuid.UUID, unpaid: list[InvoiceRow], pays: WhatPays) -> Owed | None:
    """None: nothing is owed. ``unpaid``: the open invoices, newest first."""
    found = _unpaid(organization_id)
    owed = [invoice for invoice in unpaid if invoice.state.is_owed]
    if not owed:
        return None
    rows = {row.id: row for row in found}
    told = [_told(invoice, rows.get(invoice.id), pays) for invoice in owed]
    told.sort(key=lambda one: (one.invoice.state.tone != "bad", one.invoice.issued_at))
    return Owed(
        sums=sorted({OwedSum(row.currency, row.amount, row.invoices) for row in found}),
        invoices=told[:SHOWN],
        bills=_bills(told),
        is_bad=any(one.invoice.state.tone == "bad" and not one.under_way for one in told),
        is_due_later=not any(_is_due(invoice) for invoice in owed),
        needs_another_method=any(one.way is Way.ANOTHER_METHOD for one in told),
    )


def _told(invoice: InvoiceRow, row: UnpaidRow | None, pays: WhatPays) -> OwedInvoice:
    """``row``: None for one of so many that the list of invoices tells of it."""
    if row is None:
        return OwedInvoice(invoice, "", None, Way.NONE, "", under_way=False)
    method = method_of(saved_for(row.subscription_id, pays.current, pays.customers))
    tried = name_of_failed(row.payments)
    way = way_to_pay(
        invoice,
        invoice.state,
        customer_id=pays.customer_id,
        method=method,
        tried=tried,
        just_saved=pays.just_saved,
    )
    return OwedInvoice(
        invoice, tried, method, Way.NONE if row.under_way else way, row.hosted_url, row.under_way
    )


def _bills(told: Iterable[OwedInvoice]) -> list[Bill]:
    """One for each currency and method, in the order of the invoices."""
    bills: dict[tuple[str, str], Bill] = {}
    for one in told:
        if one.way is Way.CHARGE and one.method is not None:
            key = (one.invoice.currency, one.method.id)
            so_far = bills.get(key, Bill(0, one.invoice.currency, one.method, []))
            amount = so_far.amount + one.invoice.amount_remaining
            bills[key] = replace(so_far, amount=amount, invoices=[*so_far.invoices, one.invoice.id])
    return list(bills.values())


def _is_due(invoice: InvoiceRow) -> bool:
    return invoice.due_at is None or invoice.due_at <= timezone.now() or invoice.state.tone == "bad"


def name_of_failed(payments: Iterable[Mapping[str, Any]]) -> str:
    failed = [one for one in payments if one["status"] == "failed" and one["kind"]]
    return method_name(failed[0]["kind"], failed[0]["brand"], failed[0]["last4"]) if failed else ""
