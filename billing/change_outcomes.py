"""How a change of the plan ended, and what its person reads of it."""

from datetime import UTC, datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext as _

from billing.actions.words import plan as plan_words
from billing.declines import reason_of
from billing.models import StripeOperation
from billing.models.operations import MISSING_SCOPE
from billing.money import format_money
from orgs.dates import day


class Outcome(models.TextChoices):
    """The codes that an operation keeps. ``sentence_of`` words what went wrong."""

    MADE = "made"
    PLANNED = "planned"
    UNDONE = "undone"
    CHANGED = "changed"
    PRICE_CHANGED = "price_changed"
    DECLINED = "declined"
    CONFIRMATION = "confirmation"
    NOT_ALLOWED = "not_allowed"
    TOO_LATE = "too_late"
    REFUSED = "refused"


# https://docs.stripe.com/error-codes
ASKS_THE_PERSON = {
    "authentication_required",
    "invoice_payment_intent_requires_action",
    "subscription_payment_intent_requires_action",
}


def outcome_of(operation: StripeOperation) -> Outcome:
    return Outcome(operation.result.get("outcome", Outcome.REFUSED))


def good_sentence_of(operation: StripeOperation) -> str:
    """What was done."""
    offer = operation.params.get("offer")
    if offer is None:
        return _("The change is undone. The plan stays as it is.")
    plan = plan_words(offer["new"])
    if not offer["at_once"]:
        at = day(datetime.fromtimestamp(offer["at"], UTC))
        return _("The plan changes to %(plan)s on %(day)s. Until then it can be undone.") % {
            "plan": plan,
            "day": at,
        }
    if not offer["amount_due"]:
        return _("The plan is %(plan)s now. Nothing was charged.") % {"plan": plan}
    return _("The plan is %(plan)s now. The invoice comes to %(amount)s.") % {
        "plan": plan,
        "amount": format_money(offer["amount_due"], offer["currency"]),
    }


def sentence_of(operation: StripeOperation) -> str:
    """Why an operation that failed changed nothing, and what to do."""
    support = {"address": settings.SUPPORT_EMAIL}
    if MISSING_SCOPE in operation.result:
        return (
            _(
                "The portal lacks a permission at Stripe, and only support can add it: write to %(address)s. "
                "Nothing was changed."
            )
            % support
        )
    match outcome_of(operation):
        case Outcome.CHANGED:
            return _("The plan was changed meanwhile. Nothing was done. Check it, then choose again.")
        case Outcome.PRICE_CHANGED:
            return _("The amounts have changed meanwhile. Nothing was charged. Check the new ones.")
        case Outcome.CONFIRMATION:
            return _(
                "The bank wants you to confirm the payment, which is not possible here. Nothing was charged "
                "or changed. Save the card anew, where the bank can ask you, or use another card."
            )
        case Outcome.DECLINED:
            return _(
                "The payment was declined: %(reason)s. Nothing was charged or changed. Use another card."
            ) % {"reason": reason_of(operation.result["reason"])}
        case Outcome.NOT_ALLOWED:
            return _("You may no longer change the subscription, so nothing was done. Ask an admin.")
        case Outcome.TOO_LATE:
            return _("Stripe did not answer in time. Nothing was charged or changed. Try again.")
        case _:
            return _("Stripe did not accept the change. Nothing was changed. Write to %(address)s.") % support
