"""Credits that are given for a span, what becomes of them, and who was warned."""

import uuid
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext_lazy as _

from credits.burning import Pool
from credits.models.entries import Entry
from credits.models.triggers import append_only, of_one_organization
from orgs.models import OfOrganization, Organization

# The source of a grant that comes with a period begins so; then its start.
OF_PERIOD = "period:"
# That of one that support staff gave; then the key of the form.
BY_STAFF = "staff:"
MONTH = timedelta(days=31)


class GrantQuerySet(OfOrganization["Grant"]):
    def expiring(self, *, within: timedelta) -> "GrantQuerySet":
        """Those that run now and expire soon, but for promotional ones of a month, which come again."""
        comes_again = Q(kind=GrantKind.PROMOTIONAL, expires_at__lte=F("effective_at") + MONTH)
        running = self.filter(effective_at__lte=Now(), expires_at__gt=Now(), voiding=None)
        return running.filter(expires_at__lte=Now() + within).exclude(comes_again)

    def given_by_staff(self) -> "GrantQuerySet":
        return self.filter(source__startswith=BY_STAFF)

    def with_left(self, organization_id: uuid.UUID) -> "GrantQuerySet":
        """Each with ``left``: what isn't burnt of it."""
        last = Entry.objects.for_org(organization_id).filter(grant=OuterRef("pk")).order_by("-number")
        # The types take what the model declares for a second attribute of that name.
        return self.annotate(
            left=Coalesce(Subquery(last.values("left")[:1]), "credits", output_field=models.BigIntegerField())
        )  # type: ignore[no-redef]


class GrantKind(models.TextChoices):
    PAID = "paid", _("Paid")
    PROMOTIONAL = "promotional", _("Promotional")


class Grant(models.Model):
    """Credits given for a span. ``source``: what they come from, of which there is one grant.

    ``priority``: of those that expire together the lowest is burnt first. ``left``: only of grants
    ``with_left``.
    """

    left: int

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    kind = models.CharField(_("kind"), max_length=12, choices=GrantKind.choices)
    credits = models.PositiveBigIntegerField(_("credits"))
    effective_at = models.DateTimeField(_("effective"))
    expires_at = models.DateTimeField(_("expires"))
    priority = models.SmallIntegerField(_("priority"), default=0)
    source = models.CharField(_("source"), max_length=200)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[GrantQuerySet] = GrantQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        constraints = [
            models.UniqueConstraint(fields=["organization", "source"], name="grant_once"),
            models.CheckConstraint(condition=Q(kind__in=GrantKind.values), name="grant_kind_known"),
            models.CheckConstraint(condition=Q(credits__gt=0), name="grant_of_some"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("effective_at")), name="grant_lasts"),
        ]
        indexes = [models.Index(fields=["organization", "expires_at"], name="grant_org_expires")]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.credits:,} ({self.kind}, {self.source})"

    @property
    def is_given(self) -> bool:
        """Whether support staff gave it."""
        return self.source.startswith(BY_STAFF)

    @property
    def voided_at(self) -> datetime | None:
        voiding: Voiding | None = getattr(self, "voiding", None)
        return voiding.voided_at if voiding else None

    @property
    def ends_at(self) -> datetime:
        """From when on nothing of it can be burnt."""
        return min(filter(None, (self.expires_at, self.voided_at)))

    def pool(self, left: int) -> Pool:
        """What can be burnt of it, where so many are left."""
        return Pool(
            grant_id=self.pk,
            promotional=self.kind == GrantKind.PROMOTIONAL,
            priority=self.priority,
            effective_at=self.effective_at,
            expires_at=self.expires_at,
            ends_at=self.ends_at,
            left=left,
        )


class ExpiryWarning(models.Model):
    """That people were warned, so many ``days`` ahead, of the credits that expire together then."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    expires_at = models.DateTimeField(_("expires"))
    days = models.PositiveSmallIntegerField(_("days ahead"))
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[OfOrganization["ExpiryWarning"]] = OfOrganization["ExpiryWarning"].as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("warning of an expiry")
        verbose_name_plural = _("warnings of expiries")
        constraints = [
            models.UniqueConstraint(fields=["organization", "expires_at", "days"], name="expiry_warned_once")
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.expires_at:%Y-%m-%d}, {self.days} days ahead"


class Voiding(models.Model):
    """The counter-entry of a grant: from ``voided_at`` on nothing of it can be burnt."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    grant = models.OneToOneField(
        Grant, verbose_name=_("grant"), on_delete=models.PROTECT, related_name="voiding"
    )
    voided_at = models.DateTimeField(_("voided"))
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("voided grant")
        verbose_name_plural = _("voided grants")
        indexes = [models.Index(fields=["organization", "voided_at"], name="voiding_org")]
        triggers = [append_only(), of_one_organization()]

    def __str__(self) -> str:
        return f"{self.grant}, {self.voided_at:%Y-%m-%d %H:%M}"
