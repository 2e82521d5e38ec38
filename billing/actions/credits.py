"""What the audit log tells of prepaid credits."""

from django.utils.translation import gettext_lazy as _

from audit.registry import BillingAction as Action
from billing.actions.words import count, day_of, money

CREDITS_ASKED = Action(
    "credits.asked",
    _("Asked to buy credits"),
    _("asked to buy %(credits)s credits for %(amount)s"),
    credits=count,
    amount=money,
)
CREDITS_BOUGHT = Action(
    "credits.bought",
    _("Bought credits"),
    _("bought %(credits)s credits with invoice %(target)s for %(amount)s; they expire on %(expires)s"),
    credits=count,
    amount=money,
    expires=day_of,
)
CREDITS_VOIDED = Action(
    "credits.voided",
    _("Took back bought credits"),
    _("took back what was left of %(credits)s credits, since invoice %(target)s was given back"),
    credits=count,
)
