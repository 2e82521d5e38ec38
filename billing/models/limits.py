"""What people were told of use that nears its limits, which are columns of the organization."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from orgs.models import OfOrganization, Organization
from orgs.usage_limits import Limit


class ReachedThreshold(models.Model):
    """In the period that began at ``period_start``, ``percent`` of a limit was used. It is told once."""

    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    period_start = models.DateTimeField(_("period since"))
    limit = models.CharField(_("limit"), max_length=10, choices=Limit.choices)
    percent = models.PositiveSmallIntegerField(_("percent"))
    told_at = models.DateTimeField(_("told"), db_default=Now(), editable=False)

    objects: ClassVar[OfOrganization["ReachedThreshold"]] = OfOrganization["ReachedThreshold"].as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("reached threshold")
        verbose_name_plural = _("reached thresholds")
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "period_start", "limit", "percent"], name="threshold_told_once"
            ),
            models.CheckConstraint(condition=Q(limit__in=Limit.values), name="threshold_limit_known"),
            models.CheckConstraint(condition=Q(percent__gt=0), name="threshold_of_some"),
        ]

    def __str__(self) -> str:
        return f"{self.percent}% ({self.limit}), {self.period_start:%Y-%m-%d}"
