"""What the audit log tells of acts that support staff alone do, each with its ticket and reason."""

from django.utils.translation import gettext_lazy as _

from audit import registry
from audit.registry import BillingAction
from billing.actions.words import count, day_of
from billing.failures import act_words

STRIPE_EVENT_REPLAYED = registry.Action(
    "billing.event_replayed",
    _("Applied a message of Stripe's again"),
    _("applied a message of Stripe's again: %(target)s"),
)
OPERATION_RETRIED = registry.Action(
    "billing.act_retried",
    _("Tried an act at Stripe again"),
    _("let the portal try again what somebody had asked for: to %(act)s"),
    act=act_words,
)
OPERATION_GIVEN_UP = BillingAction(
    "billing.act_given_up",
    _("Gave up an act at Stripe"),
    _("gave up what somebody had asked for: to %(act)s"),
    act=act_words,
)
RECONCILE_ASKED = registry.Action(
    "billing.reconcile_asked",
    _("Compared billing with Stripe"),
    _("let the portal compare billing with Stripe"),
)
GRACE_EXTENDED = BillingAction(
    "billing.grace_extended",
    _("Gave more time to pay"),
    _("let the plan stay until %(until)s, though it is not paid"),
    until=day_of,
)
CREDITS_GIVEN = BillingAction(
    "credits.given",
    _("Gave credits"),
    _("gave %(credits)s credits; they expire on %(expires)s"),
    credits=count,
    expires=day_of,
)
GIVEN_CREDITS_VOIDED = BillingAction(
    "credits.given_voided",
    _("Took back given credits"),
    _("took back what was left of %(credits)s given credits"),
    credits=count,
)
CUSTOMER_MOVED_AWAY = BillingAction(
    "billing.customer_moved_away",
    _("Moved the customer at Stripe to another organization"),
    _("moved the customer at Stripe, %(target)s, and its subscriptions and invoices to another organization"),
)
CUSTOMER_MOVED_HERE = BillingAction(
    "billing.customer_moved_here",
    _("Moved a customer at Stripe here"),
    _("moved the customer at Stripe, %(target)s, and its subscriptions and invoices here"),
)
