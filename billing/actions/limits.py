"""What the audit log tells of limits of use."""

from datetime import datetime

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.registry import BillingAction as Action
from audit.registry import label_in
from billing.money import format_money
from orgs.dates import day
from orgs.editions import CREDIT_CURRENCY
from orgs.usage_limits import Limit

limit = label_in(Limit)


def budget(cents: int | None) -> str:
    return gettext("none") if cents is None else format_money(cents, CREDIT_CURRENCY)


def stops(whether: bool) -> str:
    return gettext("a mail and a stop") if whether else gettext("a mail")


def first_day(instant: str) -> str:
    """The day, in UTC, of an instant in ISO format."""
    return gettext("%(day)s (UTC)") % {"day": day(datetime.fromisoformat(instant).date())}


BUDGET_CHANGED = Action(
    "usage.budget_changed",
    _("Changed the budget"),
    _("changed the budget of a period from %(old)s to %(new)s"),
    old=budget,
    new=budget,
)
STOP_CHANGED = Action(
    "usage.stop_changed",
    _("Changed whether use stops at its limit"),
    _("changed what follows at 100%% of the limit from %(old)s to %(new)s"),
    old=stops,
    new=stops,
)
THRESHOLD_REACHED = Action(
    "usage.threshold_reached",
    _("Use reached a threshold"),
    _("counted %(percent)s%% of the %(limit)s of the period since %(period)s"),
    limit=limit,
    percent=str,
    period=first_day,
)
USAGE_STOPPED = Action(
    "usage.stopped",
    _("Use is to stop"),
    _("told the product to stop, since the %(limit)s of the period are used up"),
    limit=limit,
)
USAGE_RESUMED = Action("usage.resumed", _("Use may go on"), _("told the product that use may go on"))
