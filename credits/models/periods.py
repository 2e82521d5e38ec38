"""The terms on which credits are counted."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from credits.models.triggers import append_only
from orgs.models import OfOrganization, Organization


class Period(models.Model):
    """The terms on which credits are counted from ``starts_at`` up to ``ends_at``, or to the next period.

    ``credit_price``: US dollars for a credit on demand; null where the edition counts no credits.
    ``credits``: how many come with a whole period of these terms.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    edition_code = models.CharField(_("edition"), max_length=30)
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    credit_price = models.DecimalField(_("price of a credit"), max_digits=16, decimal_places=10, null=True)
    credits = models.PositiveBigIntegerField(_("credits"), default=0)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[OfOrganization["Period"]] = OfOrganization["Period"].as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("period of credits")
        verbose_name_plural = _("periods of credits")
        constraints = [
            models.UniqueConstraint(fields=["organization", "starts_at"], name="credit_period_once"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="credit_period_lasts"),
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.edition_code}, {self.starts_at:%Y-%m-%d %H:%M} – {self.ends_at:%Y-%m-%d %H:%M}"
