"""The customers that an organization has, or had, at Stripe."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from orgs.models import OfOrganization, Organization


class StripeCustomer(models.Model):
    """A Stripe customer that was ever an organization's: what is invoiced to a former one may still be paid.

    The database writes the row itself, whatever gives a billing account its customer, and refuses a customer
    that was ever another organization's: see the triggers of ``BillingAccount``.
    """

    stripe_id = models.CharField(max_length=100, primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="stripe_customers")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = OfOrganization["StripeCustomer"].as_manager()

    class Meta:
        verbose_name = _("Stripe customer")
        verbose_name_plural = _("Stripe customers")

    def __str__(self) -> str:
        return self.stripe_id
