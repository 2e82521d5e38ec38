"""What the state of an invoice is called: a table, and the one way from Stripe's fields into it.

``docs/stripe-states.md`` shows it to readers.
"""

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from django.db.models import Case, CharField, F, Q, Value, When
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.models import InvoiceQuerySet, InvoiceStatus, PaymentStatus


class InvoiceFacts(Protocol):
    """What of an invoice decides on its state. Amounts in minor units."""

    @property
    def status(self) -> str: ...
    @property
    def payment_status(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def total(self) -> int: ...
    @property
    def amount_due(self) -> int: ...
    @property
    def amount_paid(self) -> int: ...
    @property
    def refunded(self) -> int: ...
    @property
    def credited(self) -> int: ...
    @property
    def due_at(self) -> datetime | None: ...


class InvoiceState(StrEnum):
    DRAFT = "draft"
    DUE = "due"
    OVERDUE = "overdue"
    ON_ITS_WAY = "on_its_way"
    NEEDS_CONFIRMATION = "needs_confirmation"
    FAILED = "failed"
    PARTLY_PAID = "partly_paid"
    PAID = "paid"
    COVERED = "covered"
    NOTHING_DUE = "nothing_due"
    TO_BALANCE = "to_balance"
    REFUNDED = "refunded"
    PARTLY_REFUNDED = "partly_refunded"
    CREDITED = "credited"
    PARTLY_CREDITED = "partly_credited"
    WRITTEN_OFF = "written_off"
    VOID = "void"

    @property
    def label(self) -> Promise:
        return LABELS[self]

    @property
    def tone(self) -> str:
        return TONES.get(self, "")

    @property
    def is_owed(self) -> bool:
        """Whether the customer still has to see to it: not while a payment is on its way."""
        return self in {self.DUE, self.OVERDUE, self.NEEDS_CONFIRMATION, self.FAILED, self.PARTLY_PAID}


LABELS = {
    InvoiceState.DRAFT: _("Draft"),
    InvoiceState.DUE: _("Payment due"),
    InvoiceState.OVERDUE: _("Overdue"),
    InvoiceState.ON_ITS_WAY: _("Payment on its way"),
    InvoiceState.NEEDS_CONFIRMATION: _("Confirmation needed"),
    InvoiceState.FAILED: _("Payment failed"),
    InvoiceState.PARTLY_PAID: _("Partly paid"),
    InvoiceState.PAID: _("Paid"),
    InvoiceState.COVERED: _("Settled without payment"),
    InvoiceState.NOTHING_DUE: _("Nothing to pay"),
    InvoiceState.TO_BALANCE: _("Credited to balance"),
    InvoiceState.REFUNDED: _("Refunded"),
    InvoiceState.PARTLY_REFUNDED: _("Partly refunded"),
    InvoiceState.CREDITED: _("Credited"),
    InvoiceState.PARTLY_CREDITED: _("Partly credited"),
    InvoiceState.WRITTEN_OFF: _("Written off"),
    InvoiceState.VOID: _("Void"),
}
TONES = {
    InvoiceState.DUE: "warn",
    InvoiceState.OVERDUE: "bad",
    InvoiceState.NEEDS_CONFIRMATION: "bad",
    InvoiceState.FAILED: "bad",
    InvoiceState.PARTLY_PAID: "warn",
    InvoiceState.PAID: "good",
    InvoiceState.COVERED: "good",
}
OF_PAYMENT = {
    PaymentStatus.PROCESSING: InvoiceState.ON_ITS_WAY,
    PaymentStatus.REQUIRES_ACTION: InvoiceState.NEEDS_CONFIRMATION,
    PaymentStatus.FAILED: InvoiceState.FAILED,
}


def state_of(invoice: InvoiceFacts) -> InvoiceState:
    match invoice.status:
        case InvoiceStatus.OPEN:
            return _open(invoice)
        case InvoiceStatus.PAID:
            return _paid(invoice)
        case InvoiceStatus.UNCOLLECTIBLE:
            on_its_way = invoice.payment_status == PaymentStatus.PROCESSING
            return InvoiceState.ON_ITS_WAY if on_its_way else InvoiceState.WRITTEN_OFF
        case InvoiceStatus.VOID:
            return InvoiceState.VOID
    return InvoiceState.DRAFT


def _open(invoice: InvoiceFacts) -> InvoiceState:
    if invoice.payment_status:
        return OF_PAYMENT[PaymentStatus(invoice.payment_status)]
    if invoice.due_at is not None and invoice.due_at < timezone.now():
        return InvoiceState.OVERDUE
    return InvoiceState.PARTLY_PAID if invoice.amount_paid else InvoiceState.DUE


def _paid(invoice: InvoiceFacts) -> InvoiceState:
    """Where the money went since is part of the state: a paid invoice may be refunded or credited."""
    if invoice.total < 0:
        return InvoiceState.TO_BALANCE
    given_back = invoice.refunded + invoice.credited
    if given_back:
        whole = given_back >= invoice.total
        if invoice.refunded:
            return InvoiceState.REFUNDED if whole else InvoiceState.PARTLY_REFUNDED
        return InvoiceState.CREDITED if whole else InvoiceState.PARTLY_CREDITED
    if invoice.amount_due:
        return InvoiceState.PAID
    return InvoiceState.COVERED if invoice.total else InvoiceState.NOTHING_DUE


# The same rules for the database: ``in_state``. Each line answers one of ``state_of``.
TRIED = Q(status=InvoiceStatus.OPEN) & ~Q(payment_status="")
UNTRIED = Q(status=InvoiceStatus.OPEN, payment_status="")
LATE = Q(due_at__lt=Now())
PAID = Q(status=InvoiceStatus.PAID, total__gte=0)
KEPT = PAID & Q(refunded=-F("credited"))
GIVEN_BACK = PAID & ~Q(refunded=-F("credited"))
WHOLE = Q(total__lte=F("refunded") + F("credited"))
PROCESSING = Q(payment_status=PaymentStatus.PROCESSING)
WRITTEN_OFF = Q(status=InvoiceStatus.UNCOLLECTIBLE)
NAMED = [InvoiceStatus.OPEN, InvoiceStatus.PAID, InvoiceStatus.UNCOLLECTIBLE, InvoiceStatus.VOID]
CONDITIONS = {
    InvoiceState.DRAFT: ~Q(status__in=NAMED),
    InvoiceState.DUE: UNTRIED & ~LATE & Q(amount_paid=0),
    InvoiceState.OVERDUE: UNTRIED & LATE,
    InvoiceState.ON_ITS_WAY: (TRIED | WRITTEN_OFF) & PROCESSING,
    InvoiceState.NEEDS_CONFIRMATION: TRIED & Q(payment_status=PaymentStatus.REQUIRES_ACTION),
    InvoiceState.FAILED: TRIED & Q(payment_status=PaymentStatus.FAILED),
    InvoiceState.PARTLY_PAID: UNTRIED & ~LATE & ~Q(amount_paid=0),
    InvoiceState.PAID: KEPT & ~Q(amount_due=0),
    InvoiceState.COVERED: KEPT & Q(amount_due=0, total__gt=0),
    InvoiceState.NOTHING_DUE: KEPT & Q(amount_due=0, total=0),
    InvoiceState.TO_BALANCE: Q(status=InvoiceStatus.PAID, total__lt=0),
    InvoiceState.REFUNDED: GIVEN_BACK & ~Q(refunded=0) & WHOLE,
    InvoiceState.PARTLY_REFUNDED: GIVEN_BACK & ~Q(refunded=0) & ~WHOLE,
    InvoiceState.CREDITED: GIVEN_BACK & Q(refunded=0) & WHOLE,
    InvoiceState.PARTLY_CREDITED: GIVEN_BACK & Q(refunded=0) & ~WHOLE,
    InvoiceState.WRITTEN_OFF: WRITTEN_OFF & ~PROCESSING,
    InvoiceState.VOID: Q(status=InvoiceStatus.VOID),
}

# The state of an open invoice, as a column.
STATE_OF_OPEN = Case(
    *(
        When(CONDITIONS[state], then=Value(state.value))
        for state in (InvoiceState.ON_ITS_WAY, *(state for state in InvoiceState if state.is_owed))
    ),
    output_field=CharField(),
)


def in_state(invoices: InvoiceQuerySet, state: InvoiceState) -> InvoiceQuerySet:
    """Those that ``state_of`` calls so."""
    return invoices.filter(CONDITIONS[state])
