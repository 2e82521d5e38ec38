"""What the audit log tells of invoices and their payments."""

from django.utils.translation import gettext_lazy as _

from audit import registry
from audit.registry import BillingAction as Action
from billing.actions.words import decline, method, money, span

PAYMENT_STARTED = Action(
    "invoice.payment_started",
    _("Payment started"),
    _("started to pay %(amount)s for invoice %(target)s with %(method)s"),
    amount=money,
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
ON_DEMAND_INVOICED = Action(
    "credits.on_demand_invoiced",
    _("On-demand credits invoiced"),
    _("put on-demand credits of %(span)s on an invoice: %(amount)s"),
    amount=money,
    span=span,
)
ON_DEMAND_ASKED = registry.Action(
    "credits.on_demand_asked",
    _("On-demand credits to be invoiced"),
    _("asked to put on-demand credits of %(span)s on an invoice: %(amount)s"),
    amount=money,
    span=span,
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
