"""Invoices, as Stripe has them."""

import uuid
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from billing.models.accounts import BillingAccount
from billing.sums import Row, sums_of_invoice
from orgs.models import OfOrganization, Organization


class InvoiceStatus(models.TextChoices):
    """Stripe's statuses, and one of ours for a draft that Stripe has deleted."""

    DRAFT = "draft", _("Draft")
    OPEN = "open", _("Open")
    PAID = "paid", _("Paid")
    UNCOLLECTIBLE = "uncollectible", _("Uncollectible")
    VOID = "void", _("Void")
    DELETED = "deleted", _("Deleted")


class PaymentStatus(models.TextChoices):
    """What became of a payment that was tried and isn't received, from its payment intent."""

    NONE = "", _("Not tried")
    PROCESSING = "processing", _("On its way")
    REQUIRES_ACTION = "requires_action", _("Waits for the person")
    FAILED = "failed", _("Failed")


NO_QUOTES = str.maketrans("", "", '"\\')


class LineWords(models.Func):
    """The descriptions of an invoice's lines, as a JSON text."""

    template = "jsonb_path_query_array(%(expressions)s, '$.lines[*].description')::text"
    output_field = models.TextField()


class Words(models.Func):
    """What an invoice is searched by: its number, its note and what its lines say.

    Without quotes and backslashes: JSON writes some of its own, which can't be told from those of the text.
    """

    template = "translate(%(expressions)s, '\"\\', '')"
    arg_joiner = " || ' ' || "
    output_field = models.TextField()


class InvoiceQuerySet(OfOrganization["Invoice"]):
    def issued(self) -> "InvoiceQuerySet":
        """What a customer gets to see: a draft may still change and isn't owed."""
        return self.exclude(status__in=[InvoiceStatus.DRAFT, InvoiceStatus.DELETED])

    def open(self) -> "InvoiceQuerySet":
        """Those that are still to be paid."""
        return self.filter(status=InvoiceStatus.OPEN)

    def unsettled(self) -> "InvoiceQuerySet":
        """Those that may still be issued, paid, voided or written off."""
        return self.filter(status__in=[InvoiceStatus.DRAFT, InvoiceStatus.OPEN, InvoiceStatus.UNCOLLECTIBLE])

    def with_words(self, text: str) -> "InvoiceQuerySet":
        """Those that have each word of a text in their number, their note or one of their lines."""
        found = self
        for word in text.translate(NO_QUOTES).split():
            found = found.filter(words__icontains=word)
        return found

    def of_year(self, year: int) -> "InvoiceQuerySet":
        """Those issued in a year (UTC)."""
        starts, ends = (datetime(one, 1, 1, tzinfo=UTC) for one in (year, year + 1))
        return self.filter(issued_at__gte=starts, issued_at__lt=ends)


class Invoice(models.Model):
    """A Stripe invoice. What its columns and ``document`` mean: see ``billing.gateway.records``.

    ``customer_id``: the customer that it was issued to. Stripe may have deleted it, and the organization have
    another one since.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="invoices")
    stripe_id = models.CharField(max_length=100, unique=True)
    customer_id = models.CharField(max_length=100)
    number = models.CharField(_("number"), max_length=100, blank=True)
    status = models.CharField(_("state"), max_length=20, choices=InvoiceStatus.choices)
    currency = models.CharField(max_length=3)
    subscription_id = models.CharField(max_length=100, blank=True)
    total = models.BigIntegerField(default=0)
    amount_due = models.BigIntegerField(default=0)
    amount_paid = models.BigIntegerField(default=0)
    amount_remaining = models.BigIntegerField(default=0)
    refunded = models.BigIntegerField(default=0)
    credited = models.BigIntegerField(default=0)
    attempt_count = models.PositiveIntegerField(default=0)
    charged_automatically = models.BooleanField(default=True)
    payment_status = models.CharField(max_length=20, choices=PaymentStatus.choices, blank=True)
    failure_code = models.CharField(max_length=100, blank=True)
    next_attempt_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    issued_at = models.DateTimeField()
    finalized_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    billed_from = models.DateField(null=True)
    billed_until = models.DateField(null=True)
    hosted_url = models.TextField(blank=True)
    pdf_url = models.TextField(blank=True)
    description = models.TextField(blank=True)
    document = models.JSONField(default=dict)
    words = models.GeneratedField(
        expression=Words("number", "description", LineWords("document")),
        output_field=models.TextField(),
        db_persist=True,
    )
    fetched_seq = models.BigIntegerField()
    synced_at = models.DateTimeField()

    objects: ClassVar[InvoiceQuerySet] = InvoiceQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        ordering = ["-issued_at", "-id"]
        indexes = [
            models.Index(fields=["organization", "-issued_at", "-id"], name="invoice_org_issued"),
            models.Index(fields=["organization", "currency", "-total", "-id"], name="invoice_org_amount"),
            models.Index(fields=["organization"], name="invoice_org_open", condition=Q(status="open")),
            models.Index(OpClass(Upper("number"), name="text_pattern_ops"), name="invoice_number"),
        ]

    def __str__(self) -> str:
        return self.number or self.stripe_id

    @property
    def as_of(self) -> datetime:
        """When it was last seen to be as it is: on its own, or among all that the customer has."""
        account: BillingAccount | None = getattr(self.organization, "billing_account", None)
        if account is None or account.reconciled_at is None or not self.is_listed_for(account):
            return self.synced_at
        return max(self.synced_at, account.reconciled_at)

    def is_listed_for(self, account: BillingAccount) -> bool:
        """Whether it is among what Stripe lists for the account's customer: not what a former one left."""
        return self.customer_id == account.stripe_customer_id

    @property
    def tried(self) -> dict[str, Any] | None:
        """The payment that ``payment_status`` is about."""
        if not self.payment_status:
            return None
        payments = self.document["payments"]
        return next((one for one in payments if one["status"] == self.payment_status), None)

    @property
    def tried_at(self) -> str:
        """When that was, as an ISO time; empty where it isn't known."""
        return self.tried["at"] if self.tried else ""

    @property
    def sums(self) -> list[Row]:
        return sums_of_invoice(
            self.document,
            status=self.status,
            total=self.total,
            amount_due=self.amount_due,
            amount_remaining=self.amount_remaining,
        )
