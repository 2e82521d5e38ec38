"""Credits burnt, or consumed on demand, and what that is charged."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from credits.models.triggers import append_only, of_one_organization
from orgs.models import OfOrganization, Organization


class Entry(models.Model):
    """Credits burnt of a grant in one hour, or consumed in it on demand; a negative one takes back.

    ``number``: the entries of an organization are numbered from 1 without a gap. ``booked_at``: when the
    credits count, which says of which period they are; later than ``hour`` where that was closed already.
    ``left``: of the grant, after this entry; null on demand.
    """

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    number = models.PositiveBigIntegerField(_("number"))
    grant = models.ForeignKey(
        "credits.Grant",
        verbose_name=_("grant"),
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        db_index=False,
    )
    hour = models.DateTimeField(_("hour"))
    booked_at = models.DateTimeField(_("booked"))
    credits = models.BigIntegerField(_("credits"))
    left = models.BigIntegerField(_("left of the grant"), null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[OfOrganization["Entry"]] = OfOrganization["Entry"].as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("entry of a ledger")
        verbose_name_plural = _("entries of ledgers")
        constraints = [
            models.UniqueConstraint(fields=["organization", "number"], name="entry_number_once"),
            models.CheckConstraint(condition=Q(number__gt=0), name="entry_numbered_from_one"),
            models.CheckConstraint(condition=~Q(credits=0), name="entry_of_some"),
            models.CheckConstraint(condition=Q(booked_at__gte=F("hour")), name="entry_booked_after_hour"),
            models.CheckConstraint(
                condition=Q(grant=None, left=None) | Q(grant__isnull=False, left__gte=0),
                name="entry_within_grant",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "booked_at"], name="entry_org_booked"),
            models.Index(fields=["organization", "hour"], name="entry_org_hour"),
            models.Index(
                fields=["organization", "grant", "-number"],
                name="entry_org_grant",
                condition=Q(grant__isnull=False),
            ),
        ]
        triggers = [append_only(), of_one_organization()]

    def __str__(self) -> str:
        return f"{self.number}: {self.credits:+,} ({self.hour:%Y-%m-%d %H})"

    @property
    def is_late(self) -> bool:
        """Whether the period of its hour was closed when it was counted."""
        return self.booked_at > self.hour


class OnDemandCharge(models.Model):
    """The credits on demand of a closed span, which is invoiced once, together. It never changes.

    ``credits``: below zero where more was taken back than consumed. ``price``: US dollars for a credit.
    ``amount``: in cents of US dollars; 0: too few to cost a cent, so that nothing is invoiced.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"))
    credits = models.BigIntegerField(_("credits"))
    price = models.DecimalField(_("price of a credit"), max_digits=16, decimal_places=10)
    amount = models.BigIntegerField(_("amount"))
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[OfOrganization["OnDemandCharge"]] = OfOrganization["OnDemandCharge"].as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("charge of on-demand credits")
        verbose_name_plural = _("charges of on-demand credits")
        constraints = [
            models.UniqueConstraint(fields=["organization", "since"], name="on_demand_charge_once"),
            models.CheckConstraint(condition=Q(until__gt=F("since")), name="on_demand_charge_lasts"),
            models.CheckConstraint(condition=~Q(credits=0), name="on_demand_charge_of_some"),
        ]
        indexes = [models.Index(fields=["since", "id"], name="on_demand_charge_month")]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.credits:,} ({self.since:%Y-%m-%d %H:%M} – {self.until:%Y-%m-%d %H:%M})"
