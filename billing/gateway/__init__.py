"""The only door to Stripe. Nothing else in the house imports its library."""

from billing.gateway.calls import (
    card_session,
    create_card_session,
    create_customer,
    customer,
    detach_payment_method,
    find_card_session,
    find_customer,
    invoice,
    invoices,
    set_default_payment_method,
    subscription,
    subscriptions,
    tags,
)
from billing.gateway.client import API_VERSION
from billing.gateway.errors import (
    ForgedEventError,
    GatewayError,
    GatewayMissing,
    GatewayRefused,
    GatewayUnavailable,
    InsideTransactionError,
)
from billing.gateway.events import verified_event

__all__ = [
    "API_VERSION",
    "ForgedEventError",
    "GatewayError",
    "GatewayMissing",
    "GatewayRefused",
    "GatewayUnavailable",
    "InsideTransactionError",
    "card_session",
    "create_card_session",
    "create_customer",
    "customer",
    "detach_payment_method",
    "find_card_session",
    "find_customer",
    "invoice",
    "invoices",
    "set_default_payment_method",
    "subscription",
    "subscriptions",
    "tags",
    "verified_event",
]
