"""The prices of the editions, and of packs of credits, as Stripe has them."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Price(models.Model):
    """The active price of an edition, or of a pack of credits. See ``billing.gateway.account``."""

    lookup_key = models.CharField(max_length=200, primary_key=True)
    stripe_id = models.CharField(max_length=100, unique=True)
    currency = models.CharField(max_length=3)
    unit_amount = models.CharField(max_length=40, blank=True)
    metered = models.BooleanField(default=False)
    interval = models.CharField(max_length=10, blank=True)
    interval_count = models.PositiveSmallIntegerField(default=1)
    tax_behavior = models.CharField(max_length=20, blank=True)
    credits = models.PositiveBigIntegerField(default=0)
    fetched_seq = models.BigIntegerField()
    synced_at = models.DateTimeField()

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        ordering = ["lookup_key"]

    def __str__(self) -> str:
        return self.lookup_key
