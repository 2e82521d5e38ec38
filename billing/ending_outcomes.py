"""How letting a subscription end, or keeping it, ended, and what its person reads of it."""

from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from billing.models import OperationKind, StripeOperation
from billing.models.operations import MISSING_SCOPE
from orgs.dates import day

# The outcome of one that failed since the subscription is no longer as the person saw it.
CHANGED = "changed"


def good_sentence_of(operation: StripeOperation) -> str:
    """What was done."""
    if operation.kind == OperationKind.FOLLOW_CLOSING:
        return _followed_closing(operation)
    end = {"day": day(datetime.fromisoformat(operation.params["end"]))}
    if operation.kind == OperationKind.KEEP_SUBSCRIPTION:
        return _("The subscription goes on. It renews on %(day)s.") % end
    return _("The subscription ends on %(day)s.") % end


def _followed_closing(operation: StripeOperation) -> str:
    if operation.result.get("kept"):
        return _("The subscription goes on.")
    if operation.result.get("ended"):
        return _("The subscription ends with its period, and does not renew.")
    return _("No subscription had to be changed.")


def sentence_of(operation: StripeOperation) -> str:
    """Why one that failed changed nothing."""
    if MISSING_SCOPE in operation.result:
        return _(
            "The portal lacks a permission at Stripe, and only support can add it: write to %(address)s. "
            "Nothing was changed."
        ) % {"address": settings.SUPPORT_EMAIL}
    if operation.result.get("outcome") == CHANGED:
        return _("The subscription has changed since. Nothing was done. Check it, then try again.")
    return _("Stripe refused the change. Nothing was done.")
