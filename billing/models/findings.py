"""What was found to be otherwise at Stripe than here. It is kept for support staff, who look into it."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from billing.models.customers import StripeCustomer
from orgs.models import OfOrganization, Organization


class FoundDrift(models.Model):
    """Reconciliation found rows that webhooks should have written, and wrote them: how many, the last time.

    The first look at a customer imports their past, which is no drift.
    """

    organization = models.OneToOneField(
        Organization,
        verbose_name=_("organization"),
        on_delete=models.PROTECT,
        primary_key=True,
        related_name="found_drift",
    )
    found_at = models.DateTimeField(_("found"), db_default=Now(), editable=False)
    customers = models.PositiveIntegerField(_("customers"))
    subscriptions = models.PositiveIntegerField(_("subscriptions"))
    invoices = models.PositiveIntegerField(_("invoices"))
    on_demand = models.PositiveIntegerField(_("on-demand items"))

    objects: ClassVar[OfOrganization["FoundDrift"]] = OfOrganization["FoundDrift"].as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("drift")
        verbose_name_plural = _("drifts")

    def __str__(self) -> str:
        return f"{self.organization}: {self.found_at:%Y-%m-%d}"


class UnreadableObject(models.Model):
    """An object of the customer's at Stripe that the gateway can't read: the mirror has it as it was, or not.

    ``reason``: our own error, for who mends it. The row goes once the object is read, or listed no more.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    stripe_id = models.CharField(max_length=200)
    reason = models.TextField(_("reason"))
    found_at = models.DateTimeField(_("found"), db_default=Now(), editable=False)

    objects: ClassVar[OfOrganization["UnreadableObject"]] = OfOrganization["UnreadableObject"].as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("unreadable object")
        verbose_name_plural = _("unreadable objects")
        constraints = [
            models.UniqueConstraint(fields=["organization", "stripe_id"], name="unreadable_once"),
        ]

    def __str__(self) -> str:
        return self.stripe_id


class UnknownCustomerQuerySet(models.QuerySet["UnknownCustomer"]):
    def still_unknown(self) -> "UnknownCustomerQuerySet":
        """Those that no organization has got since."""
        return self.exclude(Exists(StripeCustomer.objects.filter(pk=OuterRef("pk"))))


class UnknownCustomer(models.Model):
    """A customer at Stripe who pays, and was no organization's when we heard of it.

    ``event_type``: of the first event that told so. The row goes when Stripe ends what they pay for.
    """

    stripe_id = models.CharField(max_length=100, primary_key=True)
    event_type = models.CharField(_("event"), max_length=100)
    found_at = models.DateTimeField(_("found"), db_default=Now(), editable=False)

    objects: ClassVar[UnknownCustomerQuerySet] = UnknownCustomerQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("unknown customer")
        verbose_name_plural = _("unknown customers")

    def __str__(self) -> str:
        return self.stripe_id
