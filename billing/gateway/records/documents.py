"""What stands on an invoice or a preview."""

from dataclasses import dataclass

from billing.gateway.records.customers import CustomField, Party


@dataclass(frozen=True, kw_only=True)
class InvoiceLine:
    """``amount``: before discounts and exclusive taxes; ``net``: after both. Period: ISO dates (UTC).

    ``quantity`` and ``unit_amount``: decimal text, the latter in minor units; empty where there is none.
    ``item``: the invoice item that it bills, such as a proration; empty: it bills a subscription's period.
    ``price``, ``product``: Stripe's ids of what was sold; empty where an amount alone was charged.
    ``credits_since``: where the span begins whose on-demand credits it bills, as an ISO time; empty: none.
    """

    description: str
    quantity: str
    unit_amount: str
    amount: int
    net: int
    period_start: str
    period_end: str
    item: str
    price: str
    product: str
    credits_since: str


@dataclass(frozen=True, kw_only=True)
class DiscountAmount:
    """What one discount takes off the whole invoice, in minor units above zero."""

    name: str
    amount: int


@dataclass(frozen=True, kw_only=True)
class Tax:
    """What one rate adds to the whole invoice, or what its amounts include.

    ``percentage``: decimal text, empty where it isn't known. ``reason``: Stripe's taxability reason.
    """

    name: str
    jurisdiction: str
    percentage: str
    inclusive: bool
    amount: int
    taxable: int | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class Payment:
    """One payment toward an invoice.

    ``status``: paid, processing, requires_action, failed, or open while nothing was tried. ``amount``: what
    was received, or is asked for. ``failure``: of the latest attempt, the decline code, else the error code.
    ``refunded``: given back of it. ``off_stripe``: noted as paid elsewhere. ``at``: ISO time of its receipt
    or failure, empty where it isn't known.
    """

    status: str
    amount: int
    kind: str
    brand: str
    last4: str
    failure: str
    refunded: int
    off_stripe: bool
    at: str


@dataclass(frozen=True, kw_only=True)
class CreditNote:
    """``before_payment``: by so much less was to be paid. The others say where the rest went.

    ``day``: ISO date (UTC).
    """

    number: str
    day: str
    reason: str
    memo: str
    amount: int
    before_payment: int
    refunded: int
    to_balance: int
    off_stripe: int


@dataclass(frozen=True, kw_only=True)
class Document:
    """What only the page of an invoice shows, and what adds up to its total.

    ``billing_credits``: credits of Stripe's own that pay a part before tax. ``starting_balance``: of the
    customer, below zero what they have to their credit. ``overpaid``: went to that balance.
    ``paid_off_stripe``: noted as paid elsewhere. ``fields``: what else was put on the invoice, such as a PO
    number.
    """

    lines: list[InvoiceLine]
    discounts: list[DiscountAmount]
    taxes: list[Tax]
    shipping: int
    billing_credits: int
    starting_balance: int
    credited_before_payment: int
    overpaid: int
    paid_off_stripe: int
    payments: list[Payment]
    credit_notes: list[CreditNote]
    issuer: str
    party: Party
    fields: list[CustomField]
    footer: str
