"""What of this app the audit log tells."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action

CARD_SETUP_STARTED = Action(
    "card.setup_started", _("Began to set up a card"), _("opened Stripe's page to set up a card")
)
CARD_UPDATED = Action("card.updated", _("Updated the card"), _("made %(target)s the card to charge"))
CARD_REFUSED = Action(
    "card.refused",
    _("Set up a card without the right to"),
    _("set up %(target)s after losing the right to; it was not saved"),
)
INVOICE_PAID = Action(
    "invoice.paid", _("Invoice paid"), _("received %(amount)s for invoice %(target)s"), amount=str
)
PAYMENT_FAILED = Action(
    "invoice.payment_failed",
    _("Payment failed"),
    _("could not charge %(amount)s for invoice %(target)s"),
    amount=str,
)
SUBSCRIPTION_CHANGED = Action(
    "subscription.changed",
    _("Subscription changed"),
    _("changed the subscription; it is %(status)s"),
    status=str,
)
