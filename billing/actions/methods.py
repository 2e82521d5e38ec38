"""What the audit log tells of payment methods."""

from django.utils.translation import gettext_lazy as _

from audit import registry
from audit.registry import BillingAction as Action
from billing.actions.words import method, month

# An attempt changes nothing yet.
CARD_SETUP_STARTED = registry.Action(
    "card.setup_started", _("Began to set up a card"), _("opened Stripe's page to set up a card")
)
CARD_UPDATED = Action("card.updated", _("Updated the card"), _("made %(method)s what pays"), method=method)
METHOD_ADDED = Action(
    "card.added", _("Added a payment method"), _("saved %(method)s beside what pays"), method=method
)
METHOD_REMOVED = Action("card.removed", _("Removed a payment method"), _("removed %(method)s"), method=method)
CARD_RENEWED = Action(
    "card.renewed",
    _("Card renewed"),
    _("noted new data of a card: %(method)s, valid until %(until)s"),
    method=method,
    until=month,
)
CARD_ADDED_BY_LINK = Action(
    "card.added_by_link",
    _("Card added by a payment link"),
    _("made a payment link by which somebody added %(method)s; it pays now"),
    method=method,
)
CARD_REFUSED = Action(
    "card.refused",
    _("Set up a card without permission"),
    _("set up %(method)s after losing the permission; it was not saved"),
    method=method,
)
