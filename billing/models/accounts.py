"""An organization's customer at Stripe."""

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from billing.models.customers import StripeCustomer
from orgs.last_days import is_past
from orgs.models import Organization
from work.models import Waits, Work, WorkQuerySet

# Also of a customer that Stripe has deleted: what it owes may still be paid, or written off.
RECONCILED = Q(stripe_customer_id__isnull=False)
# One that is there for another organization is a conflict of keys.
KEEP_CUSTOMER = """
    IF NOT EXISTS (
        SELECT FROM billing_stripecustomer
        WHERE stripe_id = NEW.stripe_customer_id AND organization_id = NEW.organization_id
    ) THEN
        INSERT INTO billing_stripecustomer (stripe_id, organization_id)
        VALUES (NEW.stripe_customer_id, NEW.organization_id);
    END IF;
    RETURN NEW;
"""

# What of an account is its organization's own, whichever customer it has.
STAYS = {"id", "organization", "copies_to", "created_at"}
# As ``billing.gateway.records.Address`` names them.
ADDRESS_FIELDS = ("line1", "line2", "postal_code", "city", "state", "country")


def no_address() -> dict[str, str]:
    return dict.fromkeys(ADDRESS_FIELDS, "")


class BillingAccountQuerySet(WorkQuerySet["BillingAccount"]):
    def locked(self, organization: Organization) -> "BillingAccount":
        """The organization's account, locked; made when it is missing. Lock the organization first."""
        account, _created = self.select_for_update().get_or_create(organization=organization)
        account.organization = organization
        return account

    def locked_of(self, organization_id: uuid.UUID) -> "BillingAccount":
        """The account, locked after its organization."""
        return self.locked(Organization.objects.locked(organization_id))


class BillingAccount(Work):
    """An organization's Stripe customer and its default payment method.

    As a row of work it is compared with Stripe once a day. ``attempts`` counts since ``reconciled_at``, the
    last time that all was compared.

    ``chosen_*``: the payment method that a person last set up here. Of several set up at the same time the
    one made last wins, whichever we hear of first; within a second, the one that was begun last.

    ``address``, ``tax_ids``, ``invoice_fields``, ``invoice_locale``: as ``billing.gateway.records`` has them.
    ``copies_to``: ours alone, since a Stripe customer has one mail address.

    ``listed_seq``: the number of the last fetch of all that the customer has. What it only confirmed, it did
    not write: no row of the account gives way to an earlier number, whatever its own is.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.OneToOneField(
        Organization, on_delete=models.PROTECT, related_name="billing_account"
    )
    stripe_customer_id = models.CharField(_("Stripe customer"), max_length=100, unique=True, null=True)  # noqa: DJ001 - unique, so that none must be null
    customer_deleted = models.BooleanField(_("deleted at Stripe"), default=False)
    name = models.CharField(_("name on invoices"), max_length=300, blank=True)
    email = models.CharField(_("mail for invoices"), max_length=512, blank=True)
    address = models.JSONField(default=no_address)
    tax_ids = models.JSONField(default=list)
    invoice_fields = models.JSONField(default=list)
    invoice_locale = models.CharField(max_length=20, blank=True)
    copies_to = models.JSONField(_("further mails for invoices"), default=list)
    payment_method_id = models.CharField(max_length=100, blank=True)
    payment_method_kind = models.CharField(max_length=50, blank=True)
    card_brand = models.CharField(max_length=50, blank=True)
    card_last4 = models.CharField(max_length=4, blank=True)
    card_exp_month = models.PositiveSmallIntegerField(null=True)
    card_exp_year = models.PositiveSmallIntegerField(null=True)
    chosen_payment_method_id = models.CharField(max_length=100, blank=True)
    chosen_made_at = models.DateTimeField(null=True)
    chosen_begun_at = models.DateTimeField(null=True)
    fetched_seq = models.BigIntegerField(default=0)
    listed_seq = models.BigIntegerField(db_default=0)
    synced_at = models.DateTimeField(null=True)
    reconciled_at = models.DateTimeField(null=True)
    grace_until = models.DateField(
        _("more time to pay"),
        null=True,
        help_text=_("Until the end of this day, in UTC, the plan stays though its subscription ended."),
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    unfinished = RECONCILED
    # The first is longer than a worker may be at work on one, since a lease lasts as long.
    WAITS = Waits(first=timedelta(minutes=10), longest=timedelta(hours=6))

    objects: ClassVar[BillingAccountQuerySet] = BillingAccountQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("billing account")
        verbose_name_plural = _("billing accounts")
        indexes = [
            models.Index(fields=["next_attempt_at"], name="billingaccount_reconcile", condition=RECONCILED),
            models.Index(
                fields=["grace_until"],
                name="billingaccount_grace",
                condition=Q(grace_until__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="keep_customer",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("stripe_customer_id"),  # type: ignore[no-untyped-call]
                condition=pgtrigger.Q(new__stripe_customer_id__isnull=False),
                func=KEEP_CUSTOMER,
            )
        ]

    def __str__(self) -> str:
        return f"{self.organization}: {self.stripe_customer_id or _('no Stripe customer')}"

    @property
    def lease_length(self) -> timedelta:
        """One that kills its workers comes up later each time, like one that fails."""
        return self.WAITS.after(self.attempts + 1)

    @property
    def as_of(self) -> datetime | None:
        """When all of the customer was last seen to be as it is here."""
        return max(filter(None, (self.synced_at, self.reconciled_at)), default=None)

    @property
    def has_grace(self) -> bool:
        """Whether support gave more time to pay, which is not over."""
        return self.grace_until is not None and not is_past(self.grace_until)

    @property
    def method_codes(self) -> dict[str, str]:
        """What names the payment method, for those who word it later."""
        return {"kind": self.payment_method_kind, "brand": self.card_brand, "last4": self.card_last4}

    @property
    def saved_default(self) -> dict[str, Any]:
        """What pays where a subscription has nothing of its own, as the gateway's record; no id: nothing."""
        return {
            **self.method_codes,
            "id": self.payment_method_id,
            "exp_month": self.card_exp_month,
            "exp_year": self.card_exp_year,
        }

    @property
    def has_customer(self) -> bool:
        return bool(self.stripe_customer_id) and not self.customer_deleted

    def hand_customer_to(self, owner: "BillingAccount") -> None:
        """Give the customer to another organization's account, and have none. Both are due; save them."""
        blank = BillingAccount()
        for field in self._meta.concrete_fields:
            if field.name not in STAYS:
                setattr(owner, field.name, getattr(self, field.name))
                setattr(self, field.name, getattr(blank, field.name))
        for account in (self, owner):
            account.leased_until, account.attempts, account.error = None, 0, ""
            account.next_attempt_at = timezone.now()

    def ever_had(self, customer_id: str) -> bool:
        """Whether that customer is the organization's, or was before Stripe deleted it."""
        if customer_id == self.stripe_customer_id:
            return True
        return StripeCustomer.objects.for_org(self.organization_id).filter(pk=customer_id).exists()
