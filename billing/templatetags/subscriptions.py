"""Subscriptions in templates: what their state means, what comes next, and what a saved card would mend."""

from datetime import date

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.money import format_money
from billing.selectors.methods import Lack, MethodTrouble, UsedMethod
from billing.selectors.owed import Owed, OwedSum
from billing.subscription_states import SubscriptionState
from billing.upcoming import NextCharge, NoFigure, Upcoming
from orgs.dates import day

register = template.Library()

NO_FIGURES: dict[NoFigure, Promise] = {
    NoFigure.NONE_TO_COME: gettext_lazy("Stripe announces no further charge."),
    NoFigure.NOT_ASKED: gettext_lazy("Stripe has not told the amount yet. It appears here once it has."),
    NoFigure.NOT_SAID: gettext_lazy("Stripe could not work out the amount. Ask support if this lasts."),
}
NOT_CHARGED: dict[SubscriptionState, Promise] = {
    SubscriptionState.TRIAL_ENDS: gettext_lazy("Nothing is charged unless a card is saved by %(trial_end)s."),
    SubscriptionState.TRIAL_PAUSES: gettext_lazy(
        "Nothing is charged unless a card is saved by %(trial_end)s."
    ),
    SubscriptionState.UNPAID: gettext_lazy("Nothing more is charged until the open invoices are paid."),
    SubscriptionState.INCOMPLETE: gettext_lazy("Nothing more is charged until the first payment is made."),
    SubscriptionState.PAUSED: gettext_lazy("Nothing is charged while the subscription is paused."),
    SubscriptionState.COLLECTION_PAUSED: gettext_lazy("Nothing is charged while collection is paused."),
    SubscriptionState.UNKNOWN: gettext_lazy(
        "This portal does not know yet what Stripe charges in this state."
    ),
}
MEANINGS: dict[SubscriptionState, Promise] = {
    SubscriptionState.UNPAID: gettext_lazy("Stripe no longer tries to charge the open invoices by itself."),
    SubscriptionState.INCOMPLETE: gettext_lazy("The subscription starts once its first payment is made."),
    SubscriptionState.PAUSED: gettext_lazy(
        "The trial ended without a card. Once a card is saved, support can start the subscription again."
    ),
    SubscriptionState.UNKNOWN: gettext_lazy(
        "This portal does not know this state of Stripe's yet. Ask support."
    ),
}
# What becomes of invoices: https://docs.stripe.com/billing/subscriptions/pause-payment
PAUSED_INVOICES: dict[str, Promise] = {
    "keep_as_draft": gettext_lazy("Invoices of that time are kept as drafts."),
    "mark_uncollectible": gettext_lazy("Invoices of that time are written off."),
    "void": gettext_lazy("Invoices of that time are void."),
}
TROUBLES: dict[Lack, Promise] = {
    Lack.TRIAL_ENDS: gettext_lazy("The subscription ends on %(day)s unless a card is saved."),
    Lack.TRIAL_PAUSES: gettext_lazy("The subscription pauses on %(day)s unless a card is saved."),
    Lack.NO_METHOD: gettext_lazy("No card is saved."),
    Lack.EXPIRED: gettext_lazy("%(method)s expired on %(day)s."),
    Lack.EXPIRING: gettext_lazy("%(method)s expires on %(day)s."),
}


@register.filter
def no_figure(one: Upcoming) -> str:
    """Why there is no figure of what comes next; empty where there is one."""
    subscription = one.subscription
    if one.no_figure is None:
        return ""
    if one.no_figure is NoFigure.ENDS:
        return _("The subscription ends on %(day)s. It is not charged again.") % {
            "day": day(subscription.ends_at)
        }
    if one.no_figure is NoFigure.BY_USE:
        if subscription.period_end is None:
            return _("The amount depends on use. Stripe tells it when the period ends.")
        return _("The amount depends on use. Stripe tells it when the period ends, on %(day)s.") % {
            "day": day(subscription.period_end)
        }
    if one.no_figure is NoFigure.NOT_CHARGED:
        words = NOT_CHARGED.get(one.state, NOT_CHARGED[SubscriptionState.UNKNOWN])
        return str(words) % {"trial_end": day(subscription.trial_end)}
    return str(NO_FIGURES[one.no_figure])


@register.filter
def meaning(one: Upcoming) -> str:
    """What a state means that its name alone doesn't say; empty where it does."""
    if one.state is not SubscriptionState.COLLECTION_PAUSED:
        return str(MEANINGS.get(one.state, ""))
    until = one.subscription.pause_resumes_at
    paused = (
        _("Collection is paused until %(day)s.") % {"day": day(until)}
        if until
        else _("Collection is paused, with no end set.")
    )
    return f"{paused} {PAUSED_INVOICES.get(one.subscription.pause_behavior, '')}".strip()


@register.simple_tag
def charge_note(charge: NextCharge, owed: Owed | None) -> str:
    """When it comes, and what it does not include."""
    parts = [_("on %(day)s") % {"day": day(charge.at)}]
    if len(charge.parts) > 1:
        parts.append(_("for %(count)s subscriptions") % {"count": len(charge.parts)})
    if charge.includes_tax:
        parts.append(_("tax included"))
    if charge.grows:
        parts.append(_("and what is used until then"))
    if owed is not None:
        parts += [_besides(one, owed) for one in owed.sums if one.currency == charge.currency]
    return ", ".join(parts)


def _besides(owed_sum: OwedSum, owed: Owed) -> str:
    amount = {"amount": format_money(owed_sum.amount, owed_sum.currency)}
    if owed.is_due_later:
        return _("besides the %(amount)s to pay") % amount
    return _("besides the %(amount)s due now") % amount


@register.filter
def paid_with(one: Upcoming) -> str:
    """What pays it; empty where there is nothing to pay."""
    if one.by_invoice:
        days = one.subscription.days_until_due
        if days is None:
            return _("paid by bank transfer on invoice")
        return ngettext(
            "paid by bank transfer on invoice, within %(days)s day",
            "paid by bank transfer on invoice, within %(days)s days",
            days,
        ) % {"days": days}
    if not one.amount:
        return ""
    return _("with %(method)s") % {"method": one.pays.name} if one.pays else _("no card is saved")


@register.filter
def pays_for(used: UsedMethod) -> str:
    """Which subscriptions it pays."""
    if not used.pays_for:
        return _("Pays no subscription now")
    return _("Pays %(subscriptions)s") % {"subscriptions": pays_what(used)}


@register.filter
def pays_what(used: UsedMethod) -> str:
    """The subscriptions that it pays, below a heading that says so."""
    names = dict.fromkeys(name or _("a subscription") for name in used.pays_for)
    return ", ".join(names) or _("No subscription now")


@register.simple_tag
def trouble_sentence(trouble: MethodTrouble) -> str:
    return str(TROUBLES[trouble.lack]) % {
        "day": day(trouble.day),
        "method": trouble.method.name if trouble.method else "",
    }


@register.filter
def iso_date(text: str) -> date:
    """A day that is kept as ISO text, as those of an invoice's lines are."""
    return date.fromisoformat(text)
