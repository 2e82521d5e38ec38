"""One invoice as a document."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from billing.freshness import is_outdated
from billing.invoice_states import InvoiceState, state_of
from billing.issuer import Issuer, issuer_of
from billing.methods import Method, method_of, saved_by
from billing.models import BillingAccount, Invoice, StripeOperation, Subscription
from billing.paying import Bill, Way, charged_customer, is_payable, saved_for, way_to_pay
from billing.selectors.owed import name_of_failed
from billing.sums import Part, Return, Row, returns_of, unit_price_of
from orgs.models import Organization


@dataclass(frozen=True)
class Line:
    """``unit_price`` and ``amount`` in minor units; ``unit_price`` is None where it would not lead to it.

    ``credits_since``: where the span of on-demand credits begins that it bills, as an ISO time; empty: none.
    """

    description: str
    begins: date
    ends: date
    quantity: str
    unit_price: Decimal | None
    amount: int
    credits_since: str


@dataclass(frozen=True)
class InvoicePage:
    """``way``: how it can be paid now; ``bill``: with what is saved. ``under_way``: see ``UnpaidRow``.

    ``heard_at``: when Stripe last told of the organization's customer, which may be another one by now.
    """

    invoice: Invoice
    state: InvoiceState
    issuer: Issuer
    lines: list[Line]
    sums: list[Row]
    returns: list[Return]
    way: Way
    bill: Bill | None
    under_way: bool
    heard_at: datetime | None

    @property
    def is_outdated(self) -> bool:
        return is_outdated(self.heard_at)

    @property
    def leads_to_stripe(self) -> bool:
        """Whether it is paid on Stripe's page."""
        return self.way in {Way.CONFIRM, Way.AT_STRIPE} and bool(self.invoice.hosted_url)

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
        return self.invoice.tried

    @property
    def parts(self) -> set[Part]:
        return {row.part for row in self.sums}


def issued_invoice(organization: Organization, invoice_id: uuid.UUID) -> Invoice:
    """One invoice with its lines. Raises Invoice.DoesNotExist, also for a draft or another organization's."""
    invoices = Invoice.objects.for_org(organization).issued()
    return invoices.select_related("organization__billing_account").get(pk=invoice_id)


def page_of(invoice: Invoice) -> InvoicePage:
    state = state_of(invoice)
    asked = is_payable(invoice, state)
    under_way = asked and StripeOperation.objects.paying().filter(stripe_id=invoice.stripe_id).exists()
    account: BillingAccount | None = getattr(invoice.organization, "billing_account", None)
    method = _what_pays(invoice, account) if asked and not under_way else None
    way = way_to_pay(
        invoice,
        state,
        customer_id=charged_customer(account),
        method=method,
        tried=name_of_failed(invoice.document["payments"]),
    )
    if under_way:
        way = Way.NONE
    return InvoicePage(
        invoice=invoice,
        state=state,
        issuer=issuer_of(invoice.document),
        lines=lines_of(invoice),
        sums=invoice.sums,
        returns=returns_of(invoice.document),
        way=way,
        bill=Bill(invoice.amount_remaining, invoice.currency, method, [invoice.pk])
        if way is Way.CHARGE and method
        else None,
        under_way=under_way,
        heard_at=account.as_of if account else None,
    )


def _what_pays(invoice: Invoice, account: BillingAccount | None) -> Method | None:
    own = (
        Subscription.objects.for_org(invoice.organization_id)
        .current()
        .filter(stripe_id=invoice.subscription_id)
    )
    return method_of(saved_for(invoice.subscription_id, own, saved_by(account) if account else None))


def lines_of(invoice: Invoice) -> list[Line]:
    return [_line(line) for line in invoice.document["lines"]]


def _line(line: Mapping[str, Any]) -> Line:
    return Line(
        description=line["description"],
        begins=date.fromisoformat(line["period_start"]),
        ends=date.fromisoformat(line["period_end"]),
        quantity=line["quantity"],
        unit_price=unit_price_of(line),
        amount=line["amount"],
        credits_since=line.get("credits_since", ""),
    )
