"""The only door to Stripe. Nothing else in the house imports its library."""

from billing.gateway.account import prices
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
    subscription,
    subscriptions,
    tags,
)
from billing.gateway.client import API_VERSION, is_live
from billing.gateway.errors import (
    ForgedEventError,
    GatewayBusy,
    GatewayDeclined,
    GatewayError,
    GatewayForbidden,
    GatewayMissing,
    GatewayRefused,
    GatewayUnavailable,
    InsideTransactionError,
    UnusableEventError,
)
from billing.gateway.events import verified_event
from billing.gateway.invoicing import (
    invoice,
    invoice_of_payment,
    invoices,
    preview,
    preview_of_change,
    preview_of_period,
)
from billing.gateway.lists import Listed
from billing.gateway.patience import person_waits
from billing.gateway.pdf import invoice_pdf
from billing.gateway.plans import (
    begin_schedule,
    change_subscription,
    invoice_of_change,
    plan_change,
    release_schedule,
)

__all__ = [
    "API_VERSION",
    "ForgedEventError",
    "GatewayBusy",
    "GatewayDeclined",
    "GatewayError",
    "GatewayForbidden",
    "GatewayMissing",
    "GatewayRefused",
    "GatewayUnavailable",
    "InsideTransactionError",
    "Listed",
    "UnusableEventError",
    "begin_schedule",
    "card_session",
    "change_subscription",
    "create_card_session",
    "create_customer",
    "customer",
    "detach_payment_method",
    "find_card_session",
    "find_customer",
    "invoice",
    "invoice_of_change",
    "invoice_of_payment",
    "invoice_pdf",
    "invoices",
    "is_live",
    "person_waits",
    "plan_change",
    "preview",
    "preview_of_change",
    "preview_of_period",
    "prices",
    "release_schedule",
    "rename_customer",
    "set_default_payment_method",
    "set_subscription_payment_method",
    "subscription",
    "subscriptions",
    "tags",
    "verified_event",
]
