"""What the audit log tells of payment links."""

from django.utils.translation import gettext_lazy as _

from audit.registry import BillingAction as Action
from billing.actions.words import asked, method
from billing.failures import failure_words

PAYMENT_LINK_MADE = Action(
    "payment_link.made", _("Made a payment link"), _("made a payment link to %(invoice)s"), invoice=asked
)
PAYMENT_LINK_COPIED = Action(
    "payment_link.copied",
    _("Copied a payment link"),
    _("copied a payment link to %(invoice)s"),
    invoice=asked,
)
PAYMENT_LINK_OPENED = Action(
    "payment_link.opened",
    _("Payment link used"),
    _("made a payment link to %(invoice)s, which somebody used to open Stripe's page"),
    invoice=asked,
)
PAYMENT_LINK_REVOKED = Action(
    "payment_link.revoked",
    _("Revoked a payment link"),
    _("revoked a payment link to %(invoice)s"),
    invoice=asked,
)
PAYMENT_LINK_CARD_FAILED = Action(
    "payment_link.card_failed",
    _("No card from a payment link"),
    _("made a payment link to add a card; it was %(outcome)s"),
    outcome=failure_words,
)
PAYMENT_LINK_CARD_REFUSED = Action(
    "payment_link.card_refused",
    _("Card from an ended payment link"),
    _("made a payment link by which %(method)s was set up after the link had ended; it was not saved"),
    method=method,
)
