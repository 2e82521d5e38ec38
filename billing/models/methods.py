"""Saved payment methods, as Stripe has them."""

import uuid
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from orgs.models import OfOrganization, Organization


class PaymentMethod(models.Model):
    """A payment method that is attached to the customer: see ``billing.gateway.records.SavedMethod``.

    Written with the account, and under its ``fetched_seq``; one that Stripe no longer lists is deleted.
    ``warned_days``: how many days ahead people were last warned that it expires; None: not yet.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="payment_methods")
    stripe_id = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=50)
    brand = models.CharField(max_length=50, blank=True)
    last4 = models.CharField(max_length=4, blank=True)
    exp_month = models.PositiveSmallIntegerField(null=True)
    exp_year = models.PositiveSmallIntegerField(null=True)
    created_at = models.DateTimeField()
    warned_days = models.PositiveSmallIntegerField(null=True)

    objects: ClassVar[OfOrganization["PaymentMethod"]] = OfOrganization["PaymentMethod"].as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("payment method")
        verbose_name_plural = _("payment methods")
        indexes = [models.Index(fields=["organization", "created_at"], name="paymentmethod_org_created")]

    def __str__(self) -> str:
        return self.stripe_id

    @property
    def codes(self) -> dict[str, str]:
        """What names it, for those who word it later."""
        return {"kind": self.kind, "brand": self.brand, "last4": self.last4}

    @property
    def saved(self) -> dict[str, Any]:
        """As the gateway's record, which pages read."""
        return {**self.codes, "id": self.stripe_id, "exp_month": self.exp_month, "exp_year": self.exp_year}
