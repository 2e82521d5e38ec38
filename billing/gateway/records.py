"""What the gateway answers: our own small records of Stripe's objects.

Amounts are integers in the currency's minor unit, times are UTC. The names and meanings are those of
https://docs.stripe.com/api for the pinned version.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class SavedMethod:
    """A payment method, or one of the older sources that Stripe still charges.

    ``kind``: Stripe's type, such as card or sepa_debit. ``brand``: of a card; else the bank, if known.
    ``last4`` is empty where the kind has no number, as Link.
    """

    id: str
    kind: str
    brand: str
    last4: str
    exp_month: int | None
    exp_year: int | None


@dataclass(frozen=True, kw_only=True)
class PaymentMethod(SavedMethod):
    """One of the newer kind: whose customer it is attached to, and when it was made."""

    customer_id: str
    created: datetime


@dataclass(frozen=True, kw_only=True)
class Address:
    """``country``: ISO 3166 code of two letters. Each is empty where it isn't known."""

    line1: str
    line2: str
    postal_code: str
    city: str
    state: str
    country: str


@dataclass(frozen=True, kw_only=True)
class TaxId:
    """``status``: what Stripe found in the register: verified, pending, unverified, unavailable; or empty."""

    id: str
    type: str
    value: str
    status: str


@dataclass(frozen=True, kw_only=True)
class CustomField:
    name: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Party:
    """To whom an invoice is billed."""

    name: str
    address: Address
    tax_ids: list[str]


@dataclass(frozen=True, kw_only=True)
class Customer:
    """``pays``: the default payment method, else the default source. ``methods``: all that are attached.

    ``fields``: what coming invoices say beside. ``locale``: the language they are in, empty: none was chosen.
    """

    id: str
    deleted: bool
    name: str
    email: str
    address: Address
    tax_ids: list[TaxId]
    fields: list[CustomField]
    locale: str
    pays: SavedMethod | None
    methods: list[PaymentMethod] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class CardSession:
    """A Checkout session in setup mode.

    ``status``: open, complete or expired. ``setup_status``: of its setup intent; a completed session of a
    bank debit may still be processing. ``url``: of Stripe's page, while it is open. ``payment_method``: what
    can be charged from now on; of an iDEAL or Bancontact payment the SEPA debit that was set up with it.
    """

    id: str
    customer_id: str
    operation_id: str
    status: str
    url: str
    setup_status: str
    payment_method: PaymentMethod | None


@dataclass(frozen=True, kw_only=True)
class SubscriptionSession:
    """A Checkout session in subscription mode.

    ``status``: open, complete or expired. ``url``: of Stripe's page, while it is open. ``subscription_id``,
    ``invoice_id``: what it has started, and its first invoice.
    """

    id: str
    customer_id: str
    operation_id: str
    status: str
    url: str
    subscription_id: str
    invoice_id: str


@dataclass(frozen=True, kw_only=True)
class SubscriptionItem:
    """``unit_amount``: decimal text in minor units, empty for tiered prices. ``interval``: month or year.

    Periods are ISO times, since items of one subscription may have different ones.
    """

    id: str
    price_id: str
    lookup_key: str
    description: str
    quantity: int
    unit_amount: str
    metered: bool
    interval: str
    interval_count: int
    period_start: str
    period_end: str


@dataclass(frozen=True, kw_only=True)
class PlannedItem:
    """``unit_amount``: decimal text in minor units, empty for tiered prices. ``interval``: month or year."""

    price_id: str
    lookup_key: str
    description: str
    quantity: int
    unit_amount: str
    interval: str
    interval_count: int


@dataclass(frozen=True, kw_only=True)
class Phase:
    """What a subscription is from a moment on. ``starts``: ISO time."""

    starts: str
    items: list[PlannedItem]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """What is planned for a subscription: the phases gone by, the present one, and those to come.

    https://docs.stripe.com/billing/subscriptions/subscription-schedules
    """

    id: str
    phases: list[Phase]


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """``pause_behavior``: what becomes of invoices while collection is paused; empty: it isn't.

    ``trial_without_method``: what happens when a trial ends and nothing is saved that could pay: cancel,
    pause or create_invoice. ``pays``: its own default payment method, else its own default source.
    ``operation_id``: of our operation that made or last changed it; empty: none did.
    """

    id: str
    customer_id: str
    status: str
    currency: str
    items: list[SubscriptionItem]
    period_start: datetime | None
    period_end: datetime | None
    charged_automatically: bool
    days_until_due: int | None
    pause_behavior: str
    pause_resumes_at: datetime | None
    trial_end: datetime | None
    trial_without_method: str
    cancel_at: datetime | None
    cancel_at_period_end: bool
    schedule: Schedule | None
    operation_id: str
    ended_at: datetime | None
    created: datetime
    pays: SavedMethod | None


@dataclass(frozen=True, kw_only=True)
class InvoiceLine:
    """``amount``: before discounts and exclusive taxes; ``net``: after both. Period: ISO dates (UTC).

    ``quantity`` and ``unit_amount``: decimal text, the latter in minor units; empty where there is none.
    ``item``: the invoice item that it bills, such as a proration; empty: it bills a subscription's period.
    """

    description: str
    quantity: str
    unit_amount: str
    amount: int
    net: int
    period_start: str
    period_end: str
    item: str


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


@dataclass(frozen=True, kw_only=True)
class Invoice:
    """``payment_status``: of a payment that was tried and isn't received; empty: there is none.

    ``refunded``: given back of what was paid. ``credited``: given back to the balance, or outside Stripe.
    ``issued_at``: the date on the document. ``billed_from``, ``billed_until``: the days of its lines, since
    Stripe's own period of an invoice lies one back:
    https://docs.stripe.com/api/invoices/object#invoice_object-period_start
    """

    id: str
    customer_id: str
    subscription_id: str
    number: str
    status: str
    currency: str
    total: int
    amount_due: int
    amount_paid: int
    amount_remaining: int
    refunded: int
    credited: int
    attempt_count: int
    charged_automatically: bool
    payment_status: str
    failure_code: str
    next_attempt_at: datetime | None
    created: datetime
    issued_at: datetime
    finalized_at: datetime | None
    due_at: datetime | None
    paid_at: datetime | None
    billed_from: date | None
    billed_until: date | None
    hosted_url: str
    pdf_url: str
    description: str
    document: Document


@dataclass(frozen=True, kw_only=True)
class Due:
    """What an invoice asks for at this moment, in minor units; nothing once it is paid or void.

    ``on_its_way``: a payment was begun. ``pays``: the id of what its subscription, or customer, pays with.
    """

    amount: int
    currency: str
    on_its_way: bool
    pays: str


@dataclass(frozen=True, kw_only=True)
class Preview:
    """The next invoice of a subscription, as Stripe expects it.

    ``at``: ISO time of the charge, or of the invoice where one is sent. ``missing``: why Stripe gives none,
    its error code; the rest is empty then.
    """

    missing: str
    currency: str
    at: str
    total: int
    amount_due: int
    document: Document | None


@dataclass(frozen=True, kw_only=True)
class IncomingEvent:
    """A verified webhook. ``customer_id``: whose it is, as far as the event itself says; else empty."""

    event_id: str
    type: str
    object_id: str
    customer_id: str
    livemode: bool
    api_version: str
    payload: dict[str, Any]
