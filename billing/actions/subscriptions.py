"""What the audit log tells of subscriptions."""

from django.utils.translation import gettext_lazy as _

from audit import registry
from audit.registry import BillingAction as Action
from billing.actions.words import day_of, feedback, status
from orgs.editions import edition_name

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
# An attempt changes nothing yet.
PURCHASE_BEGUN = registry.Action(
    "subscription.purchase_begun",
    _("Began to start a subscription"),
    _("opened Stripe's page to start %(edition)s"),
    edition=edition_name,
)
SUBSCRIPTION_STARTED = Action(
    "subscription.started", _("Started a subscription"), _("started %(edition)s"), edition=edition_name
)
SUBSCRIPTION_UNDONE = Action(
    "subscription.undone",
    _("Ended a subscription at once"),
    _("ended %(edition)s, which %(person)s had just started, and credited what was paid for the rest"),
    edition=edition_name,
    person=str,
)
SUBSCRIPTION_ENDING = Action(
    "subscription.ending",
    _("Canceled a subscription"),
    _("canceled the subscription for %(ends)s; reason: %(feedback)s"),
    ends=day_of,
    feedback=feedback,
)
SUBSCRIPTION_KEPT = Action(
    "subscription.kept", _("Kept a subscription"), _("kept the subscription, which was to end")
)
