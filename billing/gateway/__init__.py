"""The only door to Stripe. Nothing else in the house imports its library."""

from billing.gateway.calls import (
    card_session,
    create_card_session,
    create_customer,
    customer,
    detach_payment_method,
    find_card_session,
    find_customer,
    rename_customer,
    set_default_payment_method,
    set_subscription_payment_method,
    subscriptions,
    tags,
)
from billing.gateway.client import API_VERSION, is_live
from billing.gateway.errors import (
    ForgedEventError,
    GatewayBusy,
    GatewayError,
    GatewayForbidden,
    GatewayMissing,
    GatewayRefused,
    GatewayUnavailable,
    InsideTransactionError,
    UnusableEventError,
)
from billing.gateway.events import verified_event
from billing.gateway.invoicing import invoice, invoice_of_payment, invoices, preview
from billing.gateway.lists import Listed
from billing.gateway.patience import person_waits
from billing.gateway.pdf import invoice_pdf

__all__ = [
    "API_VERSION",
    "ForgedEventError",
    "GatewayBusy",
    "GatewayError",
    "GatewayForbidden",
    "GatewayMissing",
    "GatewayRefused",
    "GatewayUnavailable",
    "InsideTransactionError",
    "Listed",
    "UnusableEventError",
    "card_session",
    "create_card_session",
    "create_customer",
    "customer",
    "detach_payment_method",
    "find_card_session",
    "find_customer",
    "invoice",
    "invoice_of_payment",
    "invoice_pdf",
    "invoices",
    "is_live",
    "person_waits",
    "preview",
    "rename_customer",
    "set_default_payment_method",
    "set_subscription_payment_method",
    "subscriptions",
    "tags",
    "verified_event",
]
