"""What the state of a subscription is called, and whether it charges: a table, and the one way into it.

``docs/stripe-states.md`` shows it to readers. Nothing falls through to *Active*.
"""

from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.models import Subscription


class SubscriptionState(StrEnum):
    ACTIVE = "active"
    TRIAL = "trial"
    TRIAL_ENDS = "trial_ends"
    TRIAL_PAUSES = "trial_pauses"
    ENDING = "ending"
    OVERDUE = "overdue"
    UNPAID = "unpaid"
    INCOMPLETE = "incomplete"
    NOT_STARTED = "not_started"
    PAUSED = "paused"
    COLLECTION_PAUSED = "collection_paused"
    ENDED = "ended"
    UNKNOWN = "unknown"

    @property
    def label(self) -> Promise:
        return LABELS[self]

    @property
    def tone(self) -> str:
        return TONES.get(self, "")

    @property
    def charges(self) -> bool:
        """Whether Stripe's next invoice of it will be charged, or sent."""
        return self in {self.ACTIVE, self.TRIAL, self.OVERDUE, self.ENDING}

    @property
    def lacks_method(self) -> bool:
        """Whether it ends or pauses with the trial, since nothing is saved that could pay."""
        return self in {self.TRIAL_ENDS, self.TRIAL_PAUSES}


LABELS = {
    SubscriptionState.ACTIVE: _("Active"),
    SubscriptionState.TRIAL: _("Trial"),
    SubscriptionState.TRIAL_ENDS: _("Trial"),
    SubscriptionState.TRIAL_PAUSES: _("Trial"),
    SubscriptionState.ENDING: _("Ends"),
    SubscriptionState.OVERDUE: _("Payment overdue"),
    SubscriptionState.UNPAID: _("Unpaid"),
    SubscriptionState.INCOMPLETE: _("First payment missing"),
    SubscriptionState.NOT_STARTED: _("Never started"),
    SubscriptionState.PAUSED: _("Paused"),
    SubscriptionState.COLLECTION_PAUSED: _("Collection paused"),
    SubscriptionState.ENDED: _("Ended"),
    SubscriptionState.UNKNOWN: _("Unknown"),
}
TONES = {
    SubscriptionState.ACTIVE: "good",
    SubscriptionState.TRIAL: "good",
    SubscriptionState.TRIAL_ENDS: "warn",
    SubscriptionState.TRIAL_PAUSES: "warn",
    SubscriptionState.ENDING: "warn",
    SubscriptionState.OVERDUE: "bad",
    SubscriptionState.UNPAID: "bad",
    SubscriptionState.INCOMPLETE: "bad",
    SubscriptionState.PAUSED: "warn",
    SubscriptionState.COLLECTION_PAUSED: "warn",
}
OF_STATUS = {
    "active": SubscriptionState.ACTIVE,
    "trialing": SubscriptionState.TRIAL,
    "past_due": SubscriptionState.OVERDUE,
    "unpaid": SubscriptionState.UNPAID,
    "incomplete": SubscriptionState.INCOMPLETE,
    "incomplete_expired": SubscriptionState.NOT_STARTED,
    "paused": SubscriptionState.PAUSED,
    "canceled": SubscriptionState.ENDED,
}
WITHOUT_METHOD = {"cancel": SubscriptionState.TRIAL_ENDS, "pause": SubscriptionState.TRIAL_PAUSES}


def state_of(subscription: Subscription, *, is_covered: bool) -> SubscriptionState:
    """``is_covered``: something is saved that can pay, or it is paid by invoices that are sent."""
    state = OF_STATUS.get(subscription.status, SubscriptionState.UNKNOWN)
    if state is SubscriptionState.TRIAL and not is_covered:
        state = WITHOUT_METHOD.get(subscription.trial_without_method, state)
    if state not in {SubscriptionState.ACTIVE, SubscriptionState.TRIAL, SubscriptionState.OVERDUE}:
        return state
    if subscription.pause_behavior:
        return SubscriptionState.COLLECTION_PAUSED
    if subscription.ends_at is not None and state is not SubscriptionState.OVERDUE:
        return SubscriptionState.ENDING
    return state
