"""What of this app the audit log tells."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from audit import registry

# What is declared here is read in the billing activity, unless it says otherwise.
from audit.registry import BillingAction as Action
from billing.declines import reason_of
from billing.methods import method_name
from billing.money import format_money

SUBSCRIPTION_STATUSES = {
    "active": _("active"),
    "canceled": _("canceled"),
    "incomplete": _("incomplete"),
    "incomplete_expired": _("incomplete expired"),
    "past_due": _("past due"),
    "paused": _("paused"),
    "trialing": _("trialing"),
    "unpaid": _("unpaid"),
}


def money(sum_: Mapping[str, Any]) -> str:
    """``amount`` in minor units of ``currency``, as people read it."""
    return format_money(sum_["amount"], sum_["currency"])


def decline(code: str) -> str:
    return str(reason_of(code))


def method(saved: Mapping[str, Any]) -> str:
    """A payment method by its kind, brand and last digits."""
    return method_name(saved["kind"], saved["brand"], saved["last4"])


def status(code: str) -> str:
    """A subscription's status. Stripe may know more of them than we do."""
    return str(SUBSCRIPTION_STATUSES.get(code, code))


# An attempt changes nothing yet.
CARD_SETUP_STARTED = registry.Action(
    "card.setup_started", _("Began to set up a card"), _("opened Stripe's page to set up a card")
)
CARD_UPDATED = Action("card.updated", _("Updated the card"), _("made %(method)s what pays"), method=method)
CARD_REFUSED = Action(
    "card.refused",
    _("Set up a card without permission"),
    _("set up %(method)s after losing the permission; it was not saved"),
    method=method,
)
INVOICE_PAID = Action(
    "invoice.paid", _("Invoice paid"), _("received %(amount)s for invoice %(target)s"), amount=money
)
INVOICE_PAID_ELSEWHERE = Action(
    "invoice.paid_elsewhere",
    _("Invoice paid outside Stripe"),
    _("noted that %(amount)s of invoice %(target)s was paid outside Stripe"),
    amount=money,
)
INVOICE_REFUNDED = Action(
    "invoice.refunded", _("Invoice refunded"), _("refunded %(amount)s of invoice %(target)s"), amount=money
)
INVOICE_CREDITED = Action(
    "invoice.credited", _("Invoice credited"), _("credited %(amount)s of invoice %(target)s"), amount=money
)
PAYMENT_FAILED = Action(
    "invoice.payment_failed",
    _("Payment failed"),
    _("could not charge %(amount)s for invoice %(target)s: %(reason)s"),
    amount=money,
    reason=decline,
)
CONFIRMATION_NEEDED = Action(
    "invoice.confirmation_needed",
    _("Confirmation needed"),
    _("asked for a person to confirm the payment of %(amount)s for invoice %(target)s"),
    amount=money,
)
SUBSCRIPTION_CHANGED = Action(
    "subscription.changed",
    _("Subscription changed"),
    _("changed the subscription; it is %(status)s"),
    status=status,
)
COLLECTION_PAUSED = Action(
    "subscription.collection_paused",
    _("Collection paused"),
    _("paused the charges of the subscription"),
)
COLLECTION_RESUMED = Action(
    "subscription.collection_resumed",
    _("Collection resumed"),
    _("resumed the charges of the subscription"),
)
