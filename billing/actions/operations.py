"""What the audit log tells of every kind of operation. What it is called when done, each kind says itself."""

from django.utils.translation import gettext_lazy as _

from audit import registry
from billing.failures import act_words, failure_words

ACT_FAILED = registry.BillingAction(
    "billing.act_failed",
    _("Not done"),
    _("asked to %(act)s; it was %(outcome)s"),
    act=act_words,
    outcome=failure_words,
)
# Nothing was asked of Stripe yet.
ACT_ABANDONED = registry.Action(
    "billing.act_abandoned",
    _("Left Stripe's page"),
    _("asked to %(act)s; it was %(outcome)s"),
    act=act_words,
    outcome=failure_words,
)
CUSTOMER_MADE = registry.Action(
    "billing.customer_made",
    _("Became a customer at Stripe"),
    _("made the organization a customer at Stripe"),
)
CUSTOMER_RENAMED = registry.Action(
    "billing.customer_renamed",
    _("Renamed the customer at Stripe"),
    _("let the name on invoices follow the organization's"),
)
