"""Subscriptions, as Stripe has them."""

import uuid
from datetime import datetime
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from orgs.models import OfOrganization, Organization

# https://docs.stripe.com/api/subscriptions/object#subscription_object-status
ENDED = ("canceled", "incomplete_expired")
NOT_IN_FORCE = (*ENDED, "incomplete")


class SubscriptionQuerySet(OfOrganization["Subscription"]):
    def current(self) -> "SubscriptionQuerySet":
        """Those that haven't ended. One of a status that we don't know yet is taken for current."""
        return self.exclude(status__in=ENDED)


class Subscription(models.Model):
    """A Stripe subscription.

    ``items``, ``pays``, ``preview``: see ``billing.gateway.records``; a subscription that pays with nothing
    of its own leaves it to the customer. ``previewed_at``: when Stripe gave the preview. ``schedule``: what
    is planned for it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="subscriptions")
    stripe_id = models.CharField(max_length=100, unique=True)
    status = models.CharField(max_length=30)
    currency = models.CharField(max_length=3)
    items = models.JSONField(default=list)
    period_start = models.DateTimeField(null=True)
    period_end = models.DateTimeField(null=True)
    charged_automatically = models.BooleanField(default=True)
    days_until_due = models.PositiveIntegerField(null=True)
    pause_behavior = models.CharField(max_length=30, blank=True)
    pause_resumes_at = models.DateTimeField(null=True)
    trial_end = models.DateTimeField(null=True)
    trial_without_method = models.CharField(max_length=30, blank=True)
    cancel_at = models.DateTimeField(null=True)
    cancel_at_period_end = models.BooleanField(default=False)
    schedule = models.JSONField(null=True)
    ended_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    pays = models.JSONField(null=True)
    preview = models.JSONField(null=True)
    previewed_at = models.DateTimeField(null=True)
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
    def ends_at(self) -> datetime | None:
        """When it ends, if that is decided; None: it goes on."""
        if self.cancel_at is not None:
            return self.cancel_at
        return self.period_end if self.cancel_at_period_end else None
