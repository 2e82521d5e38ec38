"""How an organization limits what it uses. How far use has come is noted by ``billing.operations.limits``."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Limit(models.TextChoices):
    """What limits use in a period: the credits that come with it, or a budget for those on demand."""

    CREDITS = "credits", _("credits")
    BUDGET = "budget", _("budget")


class UsageLimits(models.Model):
    """Columns of the organization, so that all who read it know them.

    ``usage_reached``: the highest threshold of ``usage_reached_of`` in the current period, in percent.
    """

    usage_budget = models.PositiveBigIntegerField(
        _("budget"),
        null=True,
        editable=False,
        help_text=_("For the credits on demand of a period, in cents of US dollars; empty: none."),
    )
    usage_stops = models.BooleanField(
        _("stops at its limit"),
        default=False,
        editable=False,
        help_text=_("Whether the product is to stop at 100% of the budget, or without one of the credits."),
    )
    usage_stopped_at = models.DateTimeField(
        _("stopped"), null=True, editable=False, help_text=_("Since then the product is to stop.")
    )
    usage_reached = models.PositiveSmallIntegerField(_("threshold reached"), default=0, editable=False)
    usage_reached_of = models.CharField(
        _("of which limit"), max_length=10, choices=Limit.choices, blank=True, editable=False
    )

    class Meta:
        abstract = True

    @property
    def stopping_limit(self) -> Limit:
        """The one at which use stops, if it is to stop at all."""
        return Limit.CREDITS if self.usage_budget is None else Limit.BUDGET
