"""Subscriptions, and what is planned for them."""

from dataclasses import dataclass
from datetime import datetime

from billing.gateway.records.methods import SavedMethod


@dataclass(frozen=True, kw_only=True)
class SubscriptionItem:
    """``unit_amount``: decimal text in minor units, empty for tiered prices. ``interval``: month or year.

    Periods are ISO times, since items of one subscription may have different ones. ``credits``: prepaid ones
    that a unit brings each period, as the price's metadata says; 0: it says none.
    """

    id: str
    price_id: str
    lookup_key: str
    description: str
    quantity: int
    unit_amount: str
    metered: bool
    credits: int
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
