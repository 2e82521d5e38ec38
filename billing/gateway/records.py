"""What the gateway answers: our own small records of Stripe's objects.

Amounts are integers in the currency's minor unit, times are UTC. The names and meanings are those of
https://docs.stripe.com/api for the pinned version.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class PaymentMethod:
    """``kind``: Stripe's type, such as card or sepa_debit. ``brand``: of a card; else the bank, if known."""

    id: str
    customer_id: str
    kind: str
    brand: str
    last4: str
    exp_month: int | None
    exp_year: int | None
    created: datetime


@dataclass(frozen=True, kw_only=True)
class Customer:
    id: str
    deleted: bool
    name: str
    email: str
    default_payment_method: PaymentMethod | None


@dataclass(frozen=True, kw_only=True)
class CardSession:
    """A Checkout session in setup mode.

    ``status``: open, complete or expired. ``setup_status``: of its setup intent; a completed session of a
    bank debit may still be processing. ``url``: of Stripe's page, while it is open.
    """

    id: str
    customer_id: str
    operation_id: str
    status: str
    url: str
    setup_status: str
    payment_method: PaymentMethod | None


@dataclass(frozen=True, kw_only=True)
class SubscriptionItem:
    """``unit_amount``: decimal text in minor units, empty for tiered prices. ``interval``: month or year."""

    id: str
    price_id: str
    lookup_key: str
    description: str
    quantity: int
    unit_amount: str
    metered: bool
    interval: str
    interval_count: int


@dataclass(frozen=True, kw_only=True)
class Subscription:
    id: str
    customer_id: str
    status: str
    currency: str
    items: list[SubscriptionItem]
    period_start: datetime | None
    period_end: datetime | None
    cancel_at: datetime | None
    cancel_at_period_end: bool
    ended_at: datetime | None
    created: datetime


@dataclass(frozen=True, kw_only=True)
class InvoiceLine:
    """``unit_amount``: decimal text in minor units, empty where the line has none. Period: ISO dates."""

    description: str
    quantity: int | None
    unit_amount: str
    amount: int
    period_start: str
    period_end: str


@dataclass(frozen=True, kw_only=True)
class Invoice:
    id: str
    customer_id: str
    number: str
    status: str
    currency: str
    subtotal: int
    tax: int
    total: int
    amount_due: int
    amount_paid: int
    amount_remaining: int
    attempt_count: int
    charged_automatically: bool
    next_attempt_at: datetime | None
    created: datetime
    finalized_at: datetime | None
    due_at: datetime | None
    paid_at: datetime | None
    period_start: datetime | None
    period_end: datetime | None
    hosted_url: str
    pdf_url: str
    description: str
    lines: list[InvoiceLine]


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
