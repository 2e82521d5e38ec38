"""What of this app the audit log tells."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from audit import registry

# What is declared here is read in the billing activity, unless it says otherwise.
from audit.registry import BillingAction as Action
from billing.declines import reason_of
from billing.details import part_name
from billing.endings import Feedback
from billing.failures import act_words, failure_words
from billing.methods import method_name
from billing.money import format_money
from orgs.dates import day
from orgs.editions import edition_name

SUBSCRIPTION_STATUSES = {
    "active": _("active"),
    "canceled": _("canceled"),
    "incomplete": _("incomplete"),
    "incomplete_expired": _("incomplete expired"),
    "past_due": _("past due"),
    "paused": _("paused"),
    "trialing": _("trialing"),
    "unpaid": _("unpaid"),
}


def money(sum_: Mapping[str, Any]) -> str:
    """``amount`` in minor units of ``currency``, as people read it."""
    return format_money(sum_["amount"], sum_["currency"])


def decline(code: str) -> str:
    return str(reason_of(code))


def method(saved: Mapping[str, Any]) -> str:
    """A payment method by its kind, brand and last digits."""
    return method_name(saved["kind"], saved["brand"], saved["last4"])


def plan(terms: Mapping[str, Any]) -> str:
    """An edition with its seats, as codes."""
    name = edition_name(terms["edition"])
    if terms["seats"] is None:
        return name
    return ngettext("%(edition)s with %(seats)s seat", "%(edition)s with %(seats)s seats", terms["seats"]) % {
        "edition": name,
        "seats": terms["seats"],
    }


def day_of(iso_date: str) -> str:
    """Empty where none is known."""
    return day(date.fromisoformat(iso_date)) if iso_date else ""


def parts(codes: str) -> str:
    """The parts of the billing details that were changed."""
    return ", ".join(part_name(code) for code in codes.split(","))


def month(of: Mapping[str, Any]) -> str:
    """The last month in which a card is valid, as on its face."""
    return f"{of['month']:02}/{of['year']}"


def asked(invoice: str) -> str:
    """What a payment link is for: the invoice of that number, or without one a card."""
    return gettext("pay invoice %(number)s") % {"number": invoice} if invoice else gettext("add a card")


def status(code: str) -> str:
    """A subscription's status. Stripe may know more of them than we do."""
    return str(SUBSCRIPTION_STATUSES.get(code, code))


def feedback(code: str) -> str:
    """Why somebody cancels. Stripe may know more of these codes than we do."""
    if not code:
        return str(_("none given"))
    return str(dict(Feedback.choices).get(code, code))


# Of every kind of operation. What it is called when done, each kind says itself.
ACT_FAILED = Action(
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
DETAILS_CHANGED = Action(
    "details.changed",
    _("Changed the billing details"),
    _("changed the billing details: %(parts)s"),
    parts=parts,
)
TAX_ID_ADDED = Action(
    "details.tax_id_added", _("Added a tax id"), _("added the tax id %(tax_id)s"), tax_id=str
)
TAX_ID_REMOVED = Action(
    "details.tax_id_removed", _("Removed a tax id"), _("removed the tax id %(tax_id)s"), tax_id=str
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
PAYMENT_STARTED = Action(
    "invoice.payment_started",
    _("Payment started"),
    _("started to pay %(amount)s for invoice %(target)s with %(method)s"),
    amount=money,
    method=method,
)
INVOICE_PAID = Action(
    "invoice.paid", _("Invoice paid"), _("received %(amount)s for invoice %(target)s"), amount=money
)
INVOICE_PAID_ELSEWHERE = Action(
    "invoice.paid_elsewhere",
    _("Invoice paid outside Stripe"),
    _("noted that %(amount)s of invoice %(target)s was paid outside Stripe"),
    amount=money,
)
INVOICE_REFUNDED = Action(
    "invoice.refunded", _("Invoice refunded"), _("refunded %(amount)s of invoice %(target)s"), amount=money
)
INVOICE_CREDITED = Action(
    "invoice.credited", _("Invoice credited"), _("credited %(amount)s of invoice %(target)s"), amount=money
)
PAYMENT_FAILED = Action(
    "invoice.payment_failed",
    _("Payment failed"),
    _("could not charge %(amount)s for invoice %(target)s: %(reason)s"),
    amount=money,
    reason=decline,
)
CONFIRMATION_NEEDED = Action(
    "invoice.confirmation_needed",
    _("Confirmation needed"),
    _("asked for a person to confirm the payment of %(amount)s for invoice %(target)s"),
    amount=money,
)
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
PLAN_CHANGE_ASKED = Action(
    "subscription.change_asked",
    _("Asked for another plan"),
    _("asked to change from %(old)s to %(new)s on %(day)s"),
    old=plan,
    new=plan,
    day=day_of,
)
PLAN_CHANGED = Action(
    "subscription.plan_changed",
    _("Changed the plan"),
    _("changed the plan from %(old)s to %(new)s"),
    old=plan,
    new=plan,
)
PLAN_CHANGE_PLANNED = Action(
    "subscription.change_planned",
    _("Planned a change of the plan"),
    _("planned the change from %(old)s to %(new)s on %(day)s"),
    old=plan,
    new=plan,
    day=day_of,
)
PLAN_UNDO_ASKED = Action(
    "subscription.undo_asked",
    _("Asked to undo a planned change"),
    _("asked to undo the change planned for %(day)s"),
    day=day_of,
)
PLAN_CHANGE_UNDONE = Action(
    "subscription.change_undone",
    _("Undid a planned change"),
    _("undid the change planned for %(day)s"),
    day=day_of,
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
