"""The invoice items for on-demand credits, as Stripe has them."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from orgs.models import OfOrganization, Organization


class OnDemandItemQuerySet(OfOrganization["OnDemandItem"]):
    def at_stripe(self) -> "OnDemandItemQuerySet":
        return self.filter(gone_at=None)

    def unbilled(self) -> "OnDemandItemQuerySet":
        """Those that wait for an invoice."""
        return self.at_stripe().filter(invoice_id="")


class OnDemandItem(models.Model):
    """A Stripe invoice item for the on-demand credits of a span.

    ``since``, ``until``, ``credits``: as its metadata says. ``amount``: in minor units of ``currency``.
    ``invoice_id``: empty while it waits for an invoice. ``gone_at``: when Stripe was seen to have it no more.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization, verbose_name=_("organization"), on_delete=models.PROTECT, related_name="+"
    )
    stripe_id = models.CharField(max_length=100, unique=True)
    customer_id = models.CharField(max_length=100)
    invoice_id = models.CharField(_("invoice"), max_length=100, blank=True)
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"))
    credits = models.BigIntegerField(_("credits"))
    amount = models.BigIntegerField(_("amount"))
    currency = models.CharField(max_length=3)
    gone_at = models.DateTimeField(_("gone"), null=True)
    fetched_seq = models.BigIntegerField()
    synced_at = models.DateTimeField()

    objects: ClassVar[OnDemandItemQuerySet] = OnDemandItemQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("invoice item for on-demand credits")
        verbose_name_plural = _("invoice items for on-demand credits")
        indexes = [
            models.Index(fields=["organization", "since"], name="on_demand_item_org_since"),
            models.Index(fields=["since", "id"], name="on_demand_item_month"),
        ]

    def __str__(self) -> str:
        return self.stripe_id
