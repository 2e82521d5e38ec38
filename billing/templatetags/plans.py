"""Plans in templates: an edition's terms side by side, what is planned, and why nothing can be changed."""

from dataclasses import dataclass

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.money import format_price
from billing.plan_offers import Offer
from billing.plans import Obstacle, PlannedChange
from billing.selectors.plan_changes import PlanChangePage
from orgs.dates import day
from orgs.editions import Edition, edition_name

register = template.Library()

OBSTACLES: dict[Obstacle, Promise] = {
    Obstacle.NO_PLAN: gettext_lazy(
        "There is no subscription to an edition that can be changed here. Ask support."
    ),
    Obstacle.UNDER_WAY: gettext_lazy("A change is being made. Wait a moment, then open this page again."),
    Obstacle.ENDING: gettext_lazy("The subscription ends on %(end)s. Only one that goes on can be changed."),
    Obstacle.OVERDUE: gettext_lazy("A payment is overdue. Pay it first, then the plan can be changed."),
    Obstacle.PAUSED: gettext_lazy("The subscription is paused. Ask support to start it again first."),
}


@dataclass(frozen=True)
class Term:
    label: str
    words: str


@dataclass(frozen=True)
class Compared:
    label: str
    old: str
    new: str


@register.filter
def edition_terms(edition: Edition) -> list[Term]:
    return [
        Term(_("Credits"), _credits(edition)),
        Term(_("Then"), _beyond(edition)),
        Term(_("Billing managers"), str(edition.billing_managers or _("any number"))),
        Term(_("Invoiced"), str(edition.invoiced.label)),
    ]


def _credits(edition: Edition) -> str:
    if edition.free_credits:
        return _("%(count)s free each month") % {"count": f"{edition.free_credits:,}"}
    return _("paid ahead") if edition.prepaid else _("none")


def _beyond(edition: Edition) -> str:
    if edition.credit_price is None:
        return _("no more are sold")
    return _("%(price)s a credit") % {"price": format_price(edition.credit_price, "usd")}


@register.simple_tag
def compared_terms(old: Edition, new: Edition) -> list[Compared]:
    """What of the terms changes from one edition to another."""
    both = zip(edition_terms(old), edition_terms(new), strict=True)
    return [
        Compared(before.label, before.words, after.words)
        for before, after in both
        if before.words != after.words
    ]


def each(interval: str, month: str, year: str) -> str:
    return year if interval == "year" else month


@register.filter
def per_interval(offer: Offer) -> str:
    return each(offer.interval, _("a month"), _("a year"))


@register.filter
def obstacle_sentence(page: PlanChangePage) -> str:
    """Why the plan can't be changed now; empty where it can."""
    if page.obstacle is None:
        return ""
    subscription = page.plan.subscription if page.plan else None
    return str(OBSTACLES[page.obstacle]) % {
        "end": day(subscription.ends_at) if subscription else "",
    }


@register.filter
def plan_name(offer: Offer) -> str:
    """What one changes to: an edition, or a number of seats of the same one."""
    if offer.new["edition"] == offer.old["edition"] and offer.new["seats"]:
        return seats_words(offer.new["seats"])
    return edition_name(offer.new["edition"])


@register.filter
def old_plan_name(offer: Offer) -> str:
    """What one keeps otherwise."""
    if offer.new["edition"] == offer.old["edition"] and offer.old["seats"]:
        return seats_words(offer.old["seats"])
    return edition_name(offer.old["edition"])


@register.filter
def seats_words(seats: int) -> str:
    return ngettext("%(count)s seat", "%(count)s seats", seats) % {"count": seats}


@register.filter
def planned_sentence(change: PlannedChange) -> str:
    """Such as *Changes to Team Growth on 20 June 2027.*"""
    at = day(change.at)
    if change.edition is None:
        names = ", ".join(change.names)
        if names:
            return _("The subscription changes to %(names)s on %(day)s.") % {"names": names, "day": at}
        return _("The subscription changes on %(day)s.") % {"day": at}
    if change.edition.per_seat:
        return _("Changes to %(edition)s with %(seats)s on %(day)s.") % {
            "edition": change.edition.name,
            "seats": seats_words(change.quantity),
            "day": at,
        }
    return _("Changes to %(edition)s on %(day)s.") % {"edition": change.edition.name, "day": at}
