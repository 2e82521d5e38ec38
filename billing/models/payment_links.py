"""Links for people who should not join: each opens one page of Stripe's."""

import uuid
from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from billing.models.invoices import Invoice, InvoiceStatus, PaymentStatus
from orgs.models import OfOrganization, Organization

LIFE = timedelta(days=7)


class PaymentLinkQuerySet(OfOrganization["PaymentLink"]):
    def live(self) -> "PaymentLinkQuerySet":
        """Those that still open something, as far as it is not a matter of their maker's permission."""
        on_its_way = Q(invoice__payment_status=PaymentStatus.PROCESSING)
        asks = Q(invoice=None) | Q(invoice__status=InvoiceStatus.OPEN) & ~on_its_way
        standing = self.filter(asks, revoked_at=None, finished_at=None, expires_at__gt=timezone.now())
        return standing.select_related("invoice")


class PaymentLink(models.Model):
    """What a link asks for: to pay ``invoice``, or without one to add a card. The link itself is not stored.

    ``opened_at``: when its holder first went on to Stripe; ``finished_at``: when a card was added by it.
    ``asked_at``: when its holder last asked the maker for a new one.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="payment_links")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, related_name="payment_links")
    maker_id = models.UUIDField()
    maker_name = models.CharField(max_length=254)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)

    objects: ClassVar[PaymentLinkQuerySet] = PaymentLinkQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("payment link")
        verbose_name_plural = _("payment links")
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["organization", "-created_at"], name="paymentlink_org_created")]

    def __str__(self) -> str:
        return f"{self.maker_name}: {self.invoice or _('add a card')}"
