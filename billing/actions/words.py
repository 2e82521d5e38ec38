"""How the codes of billing become words when somebody reads the audit log."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from billing.declines import reason_of
from billing.details import part_name
from billing.endings import Feedback
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


def span(times: Mapping[str, str]) -> str:
    """From the first to the last day (UTC) of what begins at ``since`` and ends before ``until``."""
    since, until = (datetime.fromisoformat(times[name]) for name in ("since", "until"))
    return f"{day(since.date())} – {day((until - timedelta(microseconds=1)).date())}"


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
