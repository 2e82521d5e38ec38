"""The steps of buying packs of credits: an invoice of their own, and its payment.

It is a draft until it has been compared with what the person accepted, so nothing else is ever charged. The
credits are granted by whatever writes down that it is paid (``bought_credits``), whoever pays it, and when.
What isn't paid by the person who pressed, or confirmed within the hour, is voided: nobody owes it.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from billing import gateway
from billing.credit_offers import CreditOffer, packs_of
from billing.credit_outcomes import CreditOutcome
from billing.gateway import records
from billing.mirror.invoices import sync_invoice
from billing.models import (
    BillingAccount,
    Invoice,
    InvoiceStatus,
    OperationKind,
    OperationState,
    PaymentStatus,
    StripeOperation,
)
from billing.operations.life import fail, finish, finish_forbidden, key_expired, register, renew_key, wait
from billing.operations.payment_steps import PRESS_LIFE
from billing.operations.people import still_may
from billing.plan_comparison import difference
from billing.plan_offers import Charge
from orgs.policy import Permission

# So long a person has for what their bank asks.
TIME_TO_CONFIRM = timedelta(hours=1)
# A bank debit takes days.
LOOK_AT_BANK = timedelta(days=1)


class Step(models.TextChoices):
    CREATE = "create"
    FINALIZE = "finalize"
    PAY = "pay"
    TELL = "tell"
    UNDO = "undo"


def _offer(operation: StripeOperation) -> CreditOffer:
    return CreditOffer(**operation.params["offer"])


def _create(operation: StripeOperation) -> None:
    """Make the draft: asked for again, the same key makes no second one."""
    reason = _reason_to_stop(operation)
    if reason or operation.key_spent:
        _let_undo(operation, reason or CreditOutcome.TOO_LATE)
        return
    offer = _offer(operation)
    try:
        invoice_id = gateway.draft_of_packs(
            packs_of(offer, operation.organization_id),
            invoice=offer.invoice,
            idempotency_key=operation.idempotency_key,
        )
    except gateway.GatewayForbidden:
        raise
    except gateway.GatewayRefused as refused:
        _let_undo(operation, CreditOutcome.REFUSED, error=str(refused))
    else:
        operation.renew(step=Step.FINALIZE, stripe_id=invoice_id)


def _reason_to_stop(operation: StripeOperation) -> CreditOutcome | None:
    if timezone.now() - operation.created_at > PRESS_LIFE:
        return CreditOutcome.TOO_LATE
    if not still_may(operation, Permission.BILLING_SUBSCRIPTION_UPDATE):
        return CreditOutcome.NOT_ALLOWED
    return None


def _finalize(operation: StripeOperation) -> None:
    """Let it be owed, if it is what the person accepted."""
    draft = gateway.invoice(operation.stripe_id)
    if draft.status == "draft":
        reason = _reason_to_stop(operation)
        if reason is None and not _is_as_accepted(_offer(operation), Charge(*_amounts(draft))):
            reason = CreditOutcome.PRICE_CHANGED
        if reason is not None:
            _let_undo(operation, reason)
            return
        if key_expired(operation):
            renew_key(operation)
        gateway.finalize_invoice(operation.stripe_id, idempotency_key=f"{operation.idempotency_key}-finalize")
    operation.renew(step=Step.PAY)


def _is_as_accepted(offer: CreditOffer, asked: Charge) -> bool:
    """The same in all; of it no more is to be paid than was shown, whatever the balance has become."""
    same = (asked.total, asked.currency) == (offer.total, offer.currency)
    return same and asked.amount_due <= offer.amount_due


def _amounts(invoice: records.Invoice | Invoice) -> tuple[int, int, str]:
    return invoice.total, invoice.amount_due, invoice.currency


def _pay(operation: StripeOperation) -> None:
    """Send it, or charge it once: the same key again tells what the first call did."""
    offer = _offer(operation)
    error = ""
    if offer.is_sent:
        gateway.send_invoice(operation.stripe_id, idempotency_key=f"{operation.idempotency_key}-send")
    elif offer.amount_due and not operation.key_spent and not _reason_to_stop(operation):
        try:
            gateway.pay_invoice(
                invoice_id=operation.stripe_id,
                method_id=offer.method,
                idempotency_key=f"{operation.idempotency_key}-pay",
            )
        except gateway.GatewayForbidden:
            raise
        except gateway.GatewayRefused as refused:
            error = str(refused)
    operation.renew(step=Step.TELL, error=error)


def _tell(operation: StripeOperation) -> None:
    """Write the invoice down as it is now, which grants the credits if it is paid."""
    sync_invoice(BillingAccount.objects.get(organization=operation.organization_id), operation.stripe_id)
    invoice = Invoice.objects.get(stripe_id=operation.stripe_id)
    outcome = _outcome(operation, invoice)
    result: dict[str, Any] = {"outcome": outcome}
    if outcome is CreditOutcome.DECLINED:
        result["reason"] = invoice.failure_code
    match outcome:
        case CreditOutcome.BOUGHT | CreditOutcome.SENT:
            accepted, invoiced = _offer(operation).charge, Charge(*_amounts(invoice))
            result |= difference(operation, invoice.stripe_id, accepted=accepted, invoiced=invoiced)
            finish(operation, state=OperationState.DONE, error=operation.error, result=result)
        case CreditOutcome.ON_ITS_WAY | CreditOutcome.CONFIRM:
            wait(operation, until=_next_look(operation, invoice), result=result)
        case _:
            operation.renew(step=Step.UNDO, result=result)


def _outcome(operation: StripeOperation, invoice: Invoice) -> CreditOutcome:
    if invoice.status == InvoiceStatus.PAID:
        return CreditOutcome.BOUGHT
    if invoice.status != InvoiceStatus.OPEN:
        return CreditOutcome.VOID
    if invoice.payment_status == PaymentStatus.PROCESSING:
        return CreditOutcome.ON_ITS_WAY
    if _offer(operation).is_sent:
        return CreditOutcome.SENT
    if invoice.payment_status == PaymentStatus.REQUIRES_ACTION:
        return CreditOutcome.CONFIRM if _may_confirm(operation) else CreditOutcome.UNCONFIRMED
    if invoice.payment_status == PaymentStatus.FAILED:
        return CreditOutcome.DECLINED
    # Stripe said no, or has not been heard of.
    return CreditOutcome.REFUSED if operation.error else CreditOutcome.TOO_LATE


def _may_confirm(operation: StripeOperation) -> bool:
    return timezone.now() - operation.created_at < TIME_TO_CONFIRM


def _next_look(operation: StripeOperation, invoice: Invoice) -> datetime:
    if invoice.payment_status == PaymentStatus.PROCESSING:
        return timezone.now() + LOOK_AT_BANK
    return operation.created_at + TIME_TO_CONFIRM


def _let_undo(operation: StripeOperation, outcome: CreditOutcome, *, error: str = "") -> None:
    operation.renew(step=Step.UNDO, result={"outcome": outcome}, error=error)


def _undo(operation: StripeOperation) -> None:
    """Leave nothing that is owed: no draft, and no open invoice. One that was paid all the same is bought."""
    invoice_id = operation.stripe_id or gateway.find_draft(
        customer_id=_offer(operation).invoice["customer"], operation_id=operation.pk
    )
    if invoice_id and _is_paid_after_all(operation, invoice_id):
        operation.renew(step=Step.TELL, stripe_id=invoice_id)
        return
    if invoice_id:
        account = BillingAccount.objects.get(organization=operation.organization_id)
        sync_invoice(account, invoice_id)
    fail(operation, operation.result, error=operation.error)


def _is_paid_after_all(operation: StripeOperation, invoice_id: str) -> bool:
    """Take it back, unless somebody has paid it, or begun to."""
    try:
        found = gateway.invoice(invoice_id)
        if found.status == "draft":
            gateway.delete_draft(invoice_id)
        elif found.status == "open" and not _is_paid(found):
            if key_expired(operation):
                renew_key(operation)
            gateway.void_invoice(invoice_id, idempotency_key=f"{operation.idempotency_key}-void")
        return _is_paid(found)
    except gateway.GatewayForbidden:
        raise
    except gateway.GatewayMissing:
        return False
    except gateway.GatewayRefused:
        # The person was quicker.
        if _is_paid(gateway.invoice(invoice_id)):
            return True
        raise


def _is_paid(found: records.Invoice) -> bool:
    """Also by a payment that is on its way."""
    return found.status == InvoiceStatus.PAID or found.payment_status == PaymentStatus.PROCESSING


def look(operation: StripeOperation) -> None:
    """See whether it was paid meanwhile, and end the wait once the time for it is over.

    Raises GatewayUnavailable and GatewayForbidden.
    """
    try:
        sync_invoice(BillingAccount.objects.get(organization=operation.organization_id), operation.stripe_id)
    except gateway.GatewayForbidden as error:
        finish_forbidden(operation, error)
        raise
    with transaction.atomic():
        BillingAccount.objects.locked_of(operation.organization_id)
        waiting = StripeOperation.objects.select_for_update().get(pk=operation.pk)
        if waiting.state != OperationState.WAITING:
            return
        invoice = Invoice.objects.get(stripe_id=waiting.stripe_id)
        is_processing = invoice.payment_status == PaymentStatus.PROCESSING
        if invoice.status == InvoiceStatus.OPEN and (is_processing or _may_confirm(waiting)):
            waiting.next_attempt_at = _next_look(waiting, invoice)
        else:
            waiting.state, waiting.step = OperationState.PENDING, Step.TELL
            waiting.next_attempt_at = timezone.now()
        waiting.save()


register(
    OperationKind.BUY_CREDITS,
    steps={
        Step.CREATE: _create,
        Step.FINALIZE: _finalize,
        Step.PAY: _pay,
        Step.TELL: _tell,
        Step.UNDO: _undo,
    },
    look=look,
)
