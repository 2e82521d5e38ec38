"""What Stripe holds, mirrored for pages, and what we ask of Stripe and hear from it.

Amounts are integers in the currency's minor unit, as Stripe gives them; times are UTC. ``fetched_seq`` of a
mirror row is the sequence number that was taken before the fetch that it was written from: a later number
never gives way to an earlier one.
"""

import uuid
from datetime import date, datetime, timedelta
from typing import ClassVar

from django.db import connection, models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orgs.models import Organization
from work.models import Waits, Work, WorkQuerySet

FETCH_SEQUENCE = "billing_fetch_seq"


def next_fetch_number() -> int:
    """Take a sequence number; do it before the fetch whose answer is to be written with it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s)", [FETCH_SEQUENCE])
        return int(cursor.fetchone()[0])


# A customer that Stripe has deleted doesn't change any more.
RECONCILED = Q(stripe_customer_id__isnull=False, customer_deleted=False)


class BillingAccountQuerySet(WorkQuerySet["BillingAccount"]):
    def locked(self, organization: Organization) -> "BillingAccount":
        """The organization's account, locked; made when it is missing. Lock the organization first."""
        account, _created = self.select_for_update().get_or_create(organization=organization)
        account.organization = organization
        return account


class BillingAccount(Work):
    """An organization's Stripe customer and its default payment method.

    As a row of work it is compared with Stripe once a day. ``attempts`` counts since ``reconciled_at``, the
    last time that all was compared.

    ``chosen_*``: the payment method that a person last set up here. Of several set up at the same time the
    one made last wins, whichever we hear of first; within a second, the one that was begun last.

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
        ]

    def __str__(self) -> str:
        return f"{self.organization}: {self.stripe_customer_id or _('no Stripe customer')}"

    @property
    def lease_length(self) -> timedelta:
        """One that kills its workers comes up later each time, like one that fails."""
        return self.WAITS.after(self.attempts + 1)

    @property
    def has_customer(self) -> bool:
        return bool(self.stripe_customer_id) and not self.customer_deleted


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def for_org(self, organization: Organization | uuid.UUID) -> "SubscriptionQuerySet":
        return self.filter(organization=organization)

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


class InvoiceStatus(models.TextChoices):
    """Stripe's statuses, and one of ours for a draft that Stripe has deleted."""

    DRAFT = "draft", _("Draft")
    OPEN = "open", _("Open")
    PAID = "paid", _("Paid")
    UNCOLLECTIBLE = "uncollectible", _("Uncollectible")
    VOID = "void", _("Void")
    DELETED = "deleted", _("Deleted")


def has_failed(*, status: str, charged_automatically: bool, attempt_count: int) -> bool:
    """Whether Stripe tried to charge the payment method and could not; the invoice is still owed."""
    return status == InvoiceStatus.OPEN and charged_automatically and attempt_count > 0


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    def for_org(self, organization: Organization | uuid.UUID) -> "InvoiceQuerySet":
        return self.filter(organization=organization)

    def issued(self) -> "InvoiceQuerySet":
        """What a customer gets to see: a draft may still change and isn't owed."""
        return self.exclude(status__in=[InvoiceStatus.DRAFT, InvoiceStatus.DELETED])

    def open(self) -> "InvoiceQuerySet":
        """Those that are still to be paid."""
        return self.filter(status=InvoiceStatus.OPEN)


class Invoice(models.Model):
    """A Stripe invoice. ``lines``: see ``billing.gateway.records.InvoiceLine``."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="invoices")
    stripe_id = models.CharField(max_length=100, unique=True)
    number = models.CharField(_("number"), max_length=100, blank=True)
    status = models.CharField(_("state"), max_length=20, choices=InvoiceStatus.choices)
    currency = models.CharField(max_length=3)
    subtotal = models.BigIntegerField(default=0)
    tax = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    amount_due = models.BigIntegerField(default=0)
    amount_paid = models.BigIntegerField(default=0)
    amount_remaining = models.BigIntegerField(default=0)
    attempt_count = models.PositiveIntegerField(default=0)
    charged_automatically = models.BooleanField(default=True)
    next_attempt_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    finalized_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    period_start = models.DateTimeField(null=True)
    period_end = models.DateTimeField(null=True)
    hosted_url = models.TextField(blank=True)
    pdf_url = models.TextField(blank=True)
    description = models.TextField(blank=True)
    lines = models.JSONField(default=list)
    fetched_seq = models.BigIntegerField()
    synced_at = models.DateTimeField()

    objects: ClassVar[InvoiceQuerySet] = InvoiceQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="invoice_org_created"),
            models.Index(fields=["organization"], name="invoice_org_open", condition=Q(status="open")),
        ]

    def __str__(self) -> str:
        return self.number or self.stripe_id

    @property
    def days_billed(self) -> tuple[date, date] | None:
        """The days that its lines are for. Stripe's own period of an invoice lies one back:
        https://docs.stripe.com/api/invoices/object#invoice_object-period_start
        """
        starts = [date.fromisoformat(line["period_start"]) for line in self.lines]
        ends = [date.fromisoformat(line["period_end"]) for line in self.lines]
        return (min(starts), max(ends)) if starts else None

    @property
    def as_of(self) -> datetime:
        """When it was last seen to be as it is: on its own, or among all that the customer has."""
        account: BillingAccount | None = getattr(self.organization, "billing_account", None)
        if account is None or account.reconciled_at is None:
            return self.synced_at
        return max(self.synced_at, account.reconciled_at)

    @property
    def payment_failed(self) -> bool:
        return has_failed(
            status=self.status,
            charged_automatically=self.charged_automatically,
            attempt_count=self.attempt_count,
        )


class OperationKind(models.TextChoices):
    CREATE_CUSTOMER = "create_customer", _("Create the Stripe customer")
    SET_UP_CARD = "set_up_card", _("Set up a card")


class OperationStep(models.TextChoices):
    """Where an operation stands: the call to Stripe that comes next, or whose outcome isn't known."""

    CREATE = "create", _("Create it at Stripe")
    CONFIRM = "confirm", _("Wait for the bank")
    MAKE_DEFAULT = "make_default", _("Make the card the default")
    DETACH = "detach", _("Detach the cards no longer wanted")


class OperationState(models.TextChoices):
    PENDING = "pending", _("Pending")
    WAITING = "waiting", _("Waiting for the person")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


UNFINISHED = Q(state__in=[OperationState.PENDING, OperationState.WAITING])


class StripeOperationQuerySet(WorkQuerySet["StripeOperation"]):
    def for_org(self, organization: Organization | uuid.UUID) -> "StripeOperationQuerySet":
        return self.filter(organization=organization)

    def waiting_card_setups(self) -> "StripeOperationQuerySet":
        return self.filter(kind=OperationKind.SET_UP_CARD, state=OperationState.WAITING)

    def open_card_setups(self) -> "StripeOperationQuerySet":
        """Card set-ups that still wait for Stripe's page to be made, or for the person there."""
        return self.filter(UNFINISHED, kind=OperationKind.SET_UP_CARD, step=OperationStep.CREATE)


class StripeOperation(Work):
    """A change that we ask of Stripe: what, by whom, under which idempotency key, and how far it has come.

    The row is committed before the first call. What is left over by a process that died is resumed by the
    sweep, from the same step, with the same key.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="stripe_operations")
    kind = models.CharField(max_length=30, choices=OperationKind.choices)
    step = models.CharField(max_length=20, choices=OperationStep.choices, default=OperationStep.CREATE)
    state = models.CharField(max_length=10, choices=OperationState.choices, default=OperationState.PENDING)
    idempotency_key = models.CharField(max_length=100, unique=True)
    key_saved_at = models.DateTimeField(default=timezone.now)
    key_spent = models.BooleanField(
        default=False, help_text=_("Stripe answers this key with an error of its own, whatever it did.")
    )
    params = models.JSONField(default=dict)
    stripe_id = models.CharField(max_length=200, blank=True)
    result = models.JSONField(default=dict)
    actor_id = models.UUIDField()
    actor_name = models.CharField(max_length=254)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True)

    unfinished = UNFINISHED
    # Longer than the few calls between two steps can take.
    LEASE = timedelta(seconds=60)
    WAITS = Waits(first=timedelta(seconds=10), longest=timedelta(hours=1))

    objects: ClassVar[StripeOperationQuerySet] = StripeOperationQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("Stripe operation")
        verbose_name_plural = _("Stripe operations")
        constraints = [
            models.UniqueConstraint(
                fields=["organization"],
                condition=Q(kind="create_customer", state="pending"),
                name="operation_one_customer_creation",
            ),
            models.UniqueConstraint(
                fields=["organization", "actor_id"],
                condition=Q(kind="set_up_card", step="create", state__in=["pending", "waiting"]),
                name="operation_one_open_card_setup",
            ),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="operation_unfinished", condition=UNFINISHED),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.get_state_display()}"


class EventState(models.TextChoices):
    RECEIVED = "received", _("Received")
    DONE = "done", _("Done")
    IGNORED = "ignored", _("Ignored")
    FAILED = "failed", _("Failed")


UNHANDLED = Q(state=EventState.RECEIVED)
EVENTS_KEPT_FOR = timedelta(days=90)


class StripeEventQuerySet(WorkQuerySet["StripeEvent"]):
    def old(self) -> "StripeEventQuerySet":
        """Those worked off so long ago that the personal data in them need no longer be kept.

        Stripe delivers an event again for 30 days at most, so none of these comes back as new:
        https://docs.stripe.com/webhooks/process-undelivered-events
        """
        return self.filter(received_at__lt=Now() - EVENTS_KEPT_FOR).exclude(UNHANDLED)


class StripeEvent(Work):
    """The webhook inbox: one row per event of Stripe, however often it is delivered.

    ``payload`` is the event as signed, without client secrets.
    """

    event_id = models.CharField(max_length=100, primary_key=True)
    type = models.CharField(max_length=100)
    object_id = models.CharField(max_length=200, blank=True)
    customer_id = models.CharField(max_length=100, blank=True)
    livemode = models.BooleanField()
    api_version = models.CharField(max_length=40, blank=True)
    payload = models.JSONField()
    received_at = models.DateTimeField(db_default=Now(), editable=False)
    state = models.CharField(max_length=10, choices=EventState.choices, default=EventState.RECEIVED)
    handled_at = models.DateTimeField(null=True)

    unfinished = UNHANDLED
    LEASE = timedelta(seconds=60)
    WAITS = Waits(first=timedelta(seconds=15), longest=timedelta(hours=1))
    # About half a day; the nightly reconcile heals what is given up.
    MAX_ATTEMPTS = 20

    objects: ClassVar[StripeEventQuerySet] = StripeEventQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("Stripe event")
        verbose_name_plural = _("Stripe events")
        ordering = ["-received_at"]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="stripeevent_unhandled", condition=UNHANDLED),
            models.Index(fields=["-received_at"], name="stripeevent_received"),
            models.Index(fields=["customer_id", "-received_at"], name="stripeevent_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"
