"""Invoices, and what the next one will be."""

from dataclasses import dataclass
from datetime import date, datetime

from billing.gateway.records.documents import Document


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
class Packs:
    """So many of a price, by its id. ``tags``: see ``gateway.tags``; they name what buys them."""

    price: str
    quantity: int
    tags: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class PacksPreview:
    """What packs cost on an invoice of their own: ``charge``, of now. The rest says how that is taxed.

    ``tax_rates``: their ids, empty where taxes are automatic, or none.
    """

    charge: Preview
    automatic_tax: bool
    tax_rates: list[str]
