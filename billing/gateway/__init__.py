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
    invoice_pdf_url,
    invoices,
    set_default_payment_method,
    subscription,
    subscriptions,
    tags,
)
from billing.gateway.client import API_VERSION, is_live
from billing.gateway.errors import (
    ForgedEventError,
    GatewayBusy,
    GatewayError,
    GatewayMissing,
    GatewayRefused,
    GatewayUnavailable,
    InsideTransactionError,
    UnusableEventError,
)
from billing.gateway.events import verified_event
from billing.gateway.patience import person_waits

__all__ = [
    "API_VERSION",
    "ForgedEventError",
    "GatewayBusy",
    "GatewayError",
    "GatewayMissing",
    "GatewayRefused",
    "GatewayUnavailable",
    "InsideTransactionError",
    "UnusableEventError",
    "card_session",
    "create_card_session",
    "create_customer",
    "customer",
    "detach_payment_method",
    "find_card_session",
    "find_customer",
    "invoice",
    "invoice_pdf_url",
    "invoices",
    "is_live",
    "person_waits",
    "set_default_payment_method",
    "subscription",
    "subscriptions",
    "tags",
    "verified_event",
]
