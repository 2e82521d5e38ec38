"""Subscriptions, as Stripe has them."""

import uuid
from datetime import datetime
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from orgs.models import OfOrganization, Organization


class SubscriptionQuerySet(OfOrganization["Subscription"]):
    def current(self) -> "SubscriptionQuerySet":
        """Those that go on being charged, or are about to."""
        return self.filter(status__in=["active", "past_due", "trialing", "unpaid", "incomplete", "paused"])


class Subscription(models.Model):
    """A Stripe subscription. ``items``: see ``billing.gateway.records.SubscriptionItem``."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="subscriptions")
    stripe_id = models.CharField(max_length=100, unique=True)
    status = models.CharField(max_length=30)
    currency = models.CharField(max_length=3)
    items = models.JSONField(default=list)
    period_start = models.DateTimeField(null=True)
    period_end = models.DateTimeField(null=True)
    cancel_at = models.DateTimeField(null=True)
    cancel_at_period_end = models.BooleanField(default=False)
    ended_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    fetched_seq = models.BigIntegerField()
    synced_at = models.DateTimeField()

    objects: ClassVar[SubscriptionQuerySet] = SubscriptionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        indexes = [models.Index(fields=["organization", "-created_at"], name="subscription_org_created")]

    def __str__(self) -> str:
        return f"{self.stripe_id} ({self.status})"

    @property
    def will_end_at(self) -> datetime | None:
        """When it ends, by the end of its period; None: it is renewed. A chosen day sets cancel_at alone."""
        if self.cancel_at and self.period_end and self.cancel_at <= self.period_end:
            return self.cancel_at
        return self.period_end if self.cancel_at_period_end else None
