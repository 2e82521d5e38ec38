"""What we ask of Stripe."""

import uuid
from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.models import ActorKind
from billing.models.payment_links import PaymentLink
from credits.models import OnDemandCharge
from orgs.models import OfOrganization, Organization
from work.models import Waits, Work, WorkQuerySet


class OperationKind(models.TextChoices):
    """What is asked for; the labels go on from "asked to"."""

    CREATE_CUSTOMER = "create_customer", _("become a customer at Stripe")
    RENAME_CUSTOMER = "rename_customer", _("let the name on invoices follow the organization's")
    SET_UP_CARD = "set_up_card", _("update the card")
    PAY_INVOICE = "pay_invoice", _("pay an invoice")
    CHANGE_PLAN = "change_plan", _("change the plan")
    SCHEDULE_CHANGE = "schedule_change", _("change the plan when its period ends")
    UNDO_CHANGE = "undo_change", _("undo a planned change")
    START_SUBSCRIPTION = "start_subscription", _("start a subscription")
    END_SUBSCRIPTION = "end_subscription", _("cancel the subscription")
    KEEP_SUBSCRIPTION = "keep_subscription", _("keep the subscription that was to end")
    FOLLOW_CLOSING = "follow_closing", _("let the subscription end or go on with the organization")
    ADD_METHOD = "add_method", _("add a payment method")
    CHOOSE_METHOD = "choose_method", _("choose what pays")
    UPDATE_DETAILS = "update_details", _("change the billing details")
    REPLACE_CONTACT = "replace_contact", _("replace the mail for invoices")
    ADD_TAX_ID = "add_tax_id", _("add a tax id")
    REMOVE_TAX_ID = "remove_tax_id", _("remove a tax id")
    REMOVE_METHOD = "remove_method", _("remove a payment method")
    INVOICE_ON_DEMAND = "invoice_on_demand", _("put on-demand credits on an invoice")
    BUY_CREDITS = "buy_credits", _("buy prepaid credits")


PLAN_CHANGES = (OperationKind.CHANGE_PLAN, OperationKind.SCHEDULE_CHANGE, OperationKind.UNDO_CHANGE)
ENDING_KINDS = (OperationKind.END_SUBSCRIPTION, OperationKind.KEEP_SUBSCRIPTION)
# Of an organization there is one at a time.
SUBSCRIPTION_CHANGES = (*PLAN_CHANGES, *ENDING_KINDS, OperationKind.FOLLOW_CLOSING)


class OperationState(models.TextChoices):
    PENDING = "pending", _("Pending")
    WAITING = "waiting", _("Waiting for the person")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


# What people wait for on *Billing & usage*: a payment, another plan, a subscription that starts, credits.
AWAITED = (
    OperationKind.PAY_INVOICE,
    *SUBSCRIPTION_CHANGES,
    OperationKind.START_SUBSCRIPTION,
    OperationKind.BUY_CREDITS,
)
# A person sets up at Stripe's page what can be charged.
SET_UPS = (OperationKind.SET_UP_CARD, OperationKind.ADD_METHOD)

# Of every kind: what it asks for is made at Stripe.
FIRST_STEP = "create"
# In the result of one that failed because Stripe's key may not do what it asks for: the scope, if known.
MISSING_SCOPE = "missing_scope"
# In the result of one that support staff ended: whether Stripe may have done something about it by then.
GIVEN_UP = "given_up"
# These only read at Stripe.
READING_STEPS = {"check"}
# So long a page tells of an act that came to nothing.
UNSEEN_LIFE = timedelta(days=7)
UNFINISHED = Q(state__in=[OperationState.PENDING, OperationState.WAITING])
# What was invoiced is not what its person accepted: see ``billing.plan_comparison``.
DIFFERS = Q(result__has_key="difference")


# The stubs give each base an ``as_manager`` of its own type.
class StripeOperationQuerySet(WorkQuerySet["StripeOperation"], OfOrganization["StripeOperation"]):  # type: ignore[override]
    def pending(self) -> "StripeOperationQuerySet":
        return self.filter(state=OperationState.PENDING)

    def waiting(self) -> "StripeOperationQuerySet":
        return self.filter(state=OperationState.WAITING)

    def failed_unseen(self) -> "StripeOperationQuerySet":
        """Those that failed lately with nobody waiting, the latest first, unless it was done since."""
        done = StripeOperation.objects.filter(
            organization=OuterRef("organization"),
            kind=OuterRef("kind"),
            state=OperationState.DONE,
            created_at__gt=OuterRef("created_at"),
        )
        lately = self.filter(failed_unseen=True, finished_at__gt=Now() - UNSEEN_LIFE)
        return lately.exclude(Exists(done)).order_by("-finished_at")

    def paying(self) -> "StripeOperationQuerySet":
        """Payments of invoices that have not come to their end; ``stripe_id`` is the invoice's."""
        return self.filter(UNFINISHED, kind=OperationKind.PAY_INVOICE)

    def buying_credits(self) -> "StripeOperationQuerySet":
        """Purchases of credits that have not come to their end; ``stripe_id`` is the invoice's, if made."""
        return self.filter(UNFINISHED, kind=OperationKind.BUY_CREDITS)

    def unsettled(self) -> "StripeOperationQuerySet":
        """What people wait for and Stripe has not answered; not a purchase before its page was paid."""
        unpaid = Q(kind=OperationKind.START_SUBSCRIPTION, step=FIRST_STEP)
        return self.pending().filter(kind__in=AWAITED).exclude(unpaid)


class StripeOperation(Work):
    """A change that we ask of Stripe: what, by whom, under which idempotency key, and how far it has come.

    The row is committed before the first call. What is left over by a process that died is resumed by the
    sweep, from the same step, with the same key. ``step``: the call to Stripe that comes next, or whose
    outcome isn't known; each kind has its own. ``payment_link``: by which it was begun, in its maker's name.
    ``charge``: the on-demand credits that it puts on an invoice.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="stripe_operations")
    kind = models.CharField(max_length=30, choices=OperationKind.choices)
    step = models.CharField(max_length=20, default=FIRST_STEP)
    state = models.CharField(max_length=10, choices=OperationState.choices, default=OperationState.PENDING)
    idempotency_key = models.CharField(max_length=100, unique=True)
    key_saved_at = models.DateTimeField(default=timezone.now)
    key_spent = models.BooleanField(
        default=False, help_text=_("Stripe answers this key with an error of its own, whatever it did.")
    )
    params = models.JSONField(default=dict)
    stripe_id = models.CharField(max_length=200, blank=True)
    result = models.JSONField(default=dict)
    failed_unseen = models.BooleanField(
        db_default=False, help_text=_("Nobody waited for the answer: a mail and the page tell of it.")
    )
    payment_link = models.ForeignKey(
        PaymentLink, on_delete=models.PROTECT, null=True, related_name="operations"
    )
    charge = models.ForeignKey(OnDemandCharge, on_delete=models.PROTECT, null=True, related_name="operations")
    actor_kind = models.CharField(max_length=10, choices=ActorKind.choices, default=ActorKind.PERSON)
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
                fields=["organization", "actor_id", "kind", "payment_link"],
                nulls_distinct=False,
                condition=Q(
                    kind__in=["set_up_card", "add_method"], step="create", state__in=["pending", "waiting"]
                ),
                name="operation_one_open_card_setup",
            ),
            models.UniqueConstraint(
                fields=["organization"],
                condition=Q(kind__in=[kind.value for kind in SUBSCRIPTION_CHANGES], state="pending"),
                name="operation_one_subscription_change",
            ),
            models.UniqueConstraint(
                fields=["organization"],
                condition=Q(kind="start_subscription", state__in=["pending", "waiting"]),
                name="operation_one_open_purchase",
            ),
            models.UniqueConstraint(
                fields=["stripe_id"],
                condition=Q(kind="pay_invoice", state__in=["pending", "waiting"]),
                name="operation_one_payment_of_invoice",
            ),
            models.UniqueConstraint(
                fields=["organization", "charge"],
                condition=Q(kind="invoice_on_demand", state__in=["pending", "waiting"]),
                name="operation_one_of_charge",
            ),
            models.UniqueConstraint(
                fields=["organization"],
                condition=Q(kind="buy_credits", step__in=["create", "finalize", "pay"], state="pending"),
                name="operation_one_purchase_of_credits",
            ),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="operation_unfinished", condition=UNFINISHED),
            models.Index(
                fields=["created_at"], name="operation_failed", condition=Q(state=OperationState.FAILED)
            ),
            models.Index(fields=["created_at"], name="operation_differs", condition=DIFFERS),
            models.Index(
                fields=["organization", "-finished_at"],
                name="operation_failed_unseen",
                condition=Q(failed_unseen=True),
            ),
            models.Index(fields=["stripe_id"], name="operation_stripe_id"),
            models.Index(fields=["organization", "-created_at"], name="operation_org_created"),
            models.Index(
                fields=["organization", "-created_at"],
                name="operation_org_failed",
                condition=Q(state=OperationState.FAILED),
            ),
        ]

    @property
    def is_settled(self) -> bool:
        return self.state in {OperationState.DONE, OperationState.FAILED}

    @property
    def was_asked(self) -> bool:
        """Whether Stripe may have done something about it."""
        return self.attempts > 0 and self.step not in READING_STEPS

    @property
    def is_told(self) -> bool:
        """Whether a person can be told of it: it has ended, or only their bank knows more."""
        waits_for_bank = self.kind == OperationKind.BUY_CREDITS and self.state == OperationState.WAITING
        return self.is_settled or waits_for_bank

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.get_state_display()}"
