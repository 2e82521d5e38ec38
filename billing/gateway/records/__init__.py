"""What the gateway answers: our own small records of Stripe's objects.

Amounts are integers in the currency's minor unit, times are UTC. The names and meanings are those of
https://docs.stripe.com/api for the pinned version.
"""

from billing.gateway.records.customers import Address, Customer, CustomField, Party, TaxId
from billing.gateway.records.documents import CreditNote, DiscountAmount, Document, InvoiceLine, Payment, Tax
from billing.gateway.records.events import IncomingEvent
from billing.gateway.records.invoice_items import OnDemandItem
from billing.gateway.records.invoices import Due, Invoice, Preview
from billing.gateway.records.methods import PaymentMethod, SavedMethod
from billing.gateway.records.sessions import CardSession, SubscriptionSession
from billing.gateway.records.subscriptions import Phase, PlannedItem, Schedule, Subscription, SubscriptionItem

__all__ = [
    "Address",
    "CardSession",
    "CreditNote",
    "CustomField",
    "Customer",
    "DiscountAmount",
    "Document",
    "Due",
    "IncomingEvent",
    "Invoice",
    "InvoiceLine",
    "OnDemandItem",
    "Party",
    "Payment",
    "PaymentMethod",
    "Phase",
    "PlannedItem",
    "Preview",
    "SavedMethod",
    "Schedule",
    "Subscription",
    "SubscriptionItem",
    "SubscriptionSession",
    "Tax",
    "TaxId",
]
