"""What Stripe holds, mirrored for pages, and what we ask of Stripe and hear from it.

Amounts are integers in the currency's minor unit, as Stripe gives them; times are UTC. ``fetched_seq`` of a
mirror row is the sequence number that was taken before the fetch that it was written from: a later number
never gives way to an earlier one.
"""

from billing.models.accounts import BillingAccount
from billing.models.customers import StripeCustomer
from billing.models.events import EventState, StripeEvent
from billing.models.findings import FoundDrift, UnknownCustomer, UnreadableObject
from billing.models.invoices import Invoice, InvoiceQuerySet, InvoiceStatus, PaymentStatus
from billing.models.limits import ReachedThreshold
from billing.models.methods import PaymentMethod
from billing.models.on_demand import OnDemandItem
from billing.models.operations import (
    ENDING_KINDS,
    PLAN_CHANGES,
    SUBSCRIPTION_CHANGES,
    OperationKind,
    OperationState,
    StripeOperation,
)
from billing.models.payment_links import PaymentLink
from billing.models.prices import Price
from billing.models.subscriptions import ENDED, NOT_IN_FORCE, Subscription, SubscriptionQuerySet

__all__ = [
    "ENDED",
    "ENDING_KINDS",
    "NOT_IN_FORCE",
    "PLAN_CHANGES",
    "SUBSCRIPTION_CHANGES",
    "BillingAccount",
    "EventState",
    "FoundDrift",
    "Invoice",
    "InvoiceQuerySet",
    "InvoiceStatus",
    "OnDemandItem",
    "OperationKind",
    "OperationState",
    "PaymentLink",
    "PaymentMethod",
    "PaymentStatus",
    "Price",
    "ReachedThreshold",
    "StripeCustomer",
    "StripeEvent",
    "StripeOperation",
    "Subscription",
    "SubscriptionQuerySet",
    "UnknownCustomer",
    "UnreadableObject",
]
