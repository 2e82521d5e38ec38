"""Acts that came to nothing: why, in words, and what to do.

An operation that failed keeps its outcome's code; each kind has some of these.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing.declines import reason_of
from billing.models import OperationKind, StripeOperation
from billing.models.operations import GIVEN_UP, MISSING_SCOPE

FORBIDDEN, REFUSED, UNFINISHED = "forbidden", "refused", "unfinished"
# The person left Stripe's page, opened another one, may no longer use it, or did not answer their bank.
ABANDONED = {"closed", "expired", "replaced", "unconfirmed"}
# Support staff ended it: before Stripe was asked, or after that.
ENDED, ENDED_UNKNOWN = "ended_by_support", "ended_by_support_unknown"
# What Stripe has done by then is not known, or it did a part.
NOT_WHOLE = {FORBIDDEN, UNFINISHED, ENDED_UNKNOWN, "partly"}


class Reason(NamedTuple):
    clause: Promise
    advice: Promise | str = ""


ASK_SUPPORT = format_lazy(_("Write to {address}."), address=settings.SUPPORT_EMAIL)
USE_ANOTHER_CARD = _("Use another card.")
REASONS = {
    "amount_changed": Reason(_("the amount had changed"), _("Check the new one, then press again.")),
    "card_refused": Reason(_("the bank did not accept it"), USE_ANOTHER_CARD),
    "changed": Reason(_("the subscription was changed meanwhile"), _("Check it, then choose again.")),
    "closed": Reason(_("the person may no longer ask for it"), _("Ask an admin.")),
    "confirmation": Reason(
        _("the bank asked for a confirmation"),
        _("Save the card anew, where the bank can ask you, or use another card."),
    ),
    "declined": Reason(_("the payment was declined"), USE_ANOTHER_CARD),
    ENDED: Reason(_("support ended it before Stripe was asked"), _("Start again.")),
    ENDED_UNKNOWN: Reason(_("support ended it, and what Stripe did by then stays done"), ASK_SUPPORT),
    "error": Reason(_("Stripe did not accept it"), ASK_SUPPORT),
    "expired": Reason(_("the page at Stripe was open too long"), _("Start again.")),
    FORBIDDEN: Reason(_("the portal lacks a permission at Stripe"), ASK_SUPPORT),
    "method_changed": Reason(_("another payment method pays by now"), _("Check it, then press again.")),
    "method_gone": Reason(_("no payment method is saved any more"), _("Save one, then press again.")),
    "not_allowed": Reason(_("the person may no longer ask for it"), _("Ask an admin.")),
    "not_allowed_late": Reason(
        _("the permission was lost meanwhile; what was paid for the time to come is credited"),
        _("Ask an admin."),
    ),
    "other_currency": Reason(_("credits are sold in US dollars only"), ASK_SUPPORT),
    "paid_before": Reason(_("it was paid already")),
    "partly": Reason(_("it does not pay every subscription"), ASK_SUPPORT),
    "price_changed": Reason(_("the amounts had changed"), _("Check the new ones, then press again.")),
    REFUSED: Reason(_("Stripe did not accept it"), ASK_SUPPORT),
    "replaced": Reason(_("another page was opened")),
    "still_pays": Reason(_("it pays by now"), _("Make another one the default first.")),
    "taken": Reason(_("there is a subscription already")),
    "taken_late": Reason(
        _("another subscription started meanwhile; what was paid for the time to come is credited")
    ),
    "too_late": Reason(_("Stripe did not answer in time"), _("Try again.")),
    "unconfirmed": Reason(_("the payment was not confirmed in time"), _("Start again.")),
    UNFINISHED: Reason(_("Stripe did not let the portal read what became of it"), ASK_SUPPORT),
    "void": Reason(_("the invoice is void")),
}


# Where only support can make something of it.
NEEDING_SUPPORT = tuple(code for code, reason in REASONS.items() if reason.advice is ASK_SUPPORT)


def outcome_in(result: Mapping[str, Any]) -> dict[str, str]:
    """How an operation failed: ``code``, and ``reason``, the code that Stripe gave for it, if any."""
    return {"code": _code_in(result), "reason": str(result.get("reason", ""))}


def _code_in(result: Mapping[str, Any]) -> str:
    if GIVEN_UP in result:
        return ENDED_UNKNOWN if result[GIVEN_UP] else ENDED
    if MISSING_SCOPE in result:
        return FORBIDDEN
    # What Stripe had said something about by then may be done all the same.
    return str(result.get("outcome") or (UNFINISHED if "answer" in result else REFUSED))


def act_words(kind: str) -> str:
    """What was asked for, after "asked to"."""
    return str(OperationKind(kind).label)


def failure_words(outcome: Mapping[str, Any]) -> str:
    """That it was not done, and why, after "it was"."""
    code = outcome["code"]
    reason = str(REASONS[code].clause)
    if code == "declined" and outcome["reason"]:
        reason = f"{reason}: {reason_of(outcome['reason'])}"
    words = (
        gettext("not finished, since %(reason)s")
        if code in NOT_WHOLE
        else gettext("not done, since %(reason)s")
    )
    return words % {"reason": reason}


def told_by_support(operation: StripeOperation) -> str:
    """What the person reads of an act that support staff ended."""
    outcome = outcome_in(operation.result)
    words = {
        "act": act_words(operation.kind),
        "outcome": failure_words(outcome),
        "advice": advice_of(outcome),
    }
    return gettext("You asked to %(act)s. It was %(outcome)s. %(advice)s") % words


def advice_of(outcome: Mapping[str, Any]) -> str:
    """What to do; empty where there is nothing to do."""
    return str(REASONS[outcome["code"]].advice)


class FailedAct(NamedTuple):
    """One that failed while nobody waited for it, for the page. ``asked_at``: when somebody pressed."""

    act: str
    words: str
    advice: str
    asked_at: datetime


def failed_act(row: Mapping[str, Any]) -> FailedAct:
    """``row``: an operation's ``kind``, ``result`` and, in ISO format, ``created_at``."""
    outcome = outcome_in(row["result"])
    asked_at = datetime.fromisoformat(row["created_at"])
    return FailedAct(act_words(row["kind"]), failure_words(outcome), advice_of(outcome), asked_at)
