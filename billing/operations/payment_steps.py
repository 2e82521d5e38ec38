"""The steps of paying an invoice: compare with what the page showed, charge, write down what became of it.

Nobody is charged later than minutes after they pressed. From then on Stripe is only asked what became of the
payment: an operation ends with the state of its invoice, and a new press is a new operation.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import models
from django.utils import timezone

from billing import gateway
from billing.gateway.records import Due
from billing.methods import saved_by
from billing.mirror.customers import sync_customer
from billing.mirror.invoices import sync_invoice
from billing.mirror.subscriptions import sync_subscriptions
from billing.models import (
    BillingAccount,
    Invoice,
    InvoiceStatus,
    OperationKind,
    OperationState,
    PaymentStatus,
    StripeOperation,
    Subscription,
)
from billing.operations.life import fail, finish, register
from billing.operations.people import still_may
from billing.paying import saved_for
from billing.payment_outcomes import Outcome
from orgs.policy import Permission

# So long a person who pressed still expects the charge.
PRESS_LIFE = timedelta(minutes=10)


class Step(models.TextChoices):
    CHECK = "check"
    PAY = "pay"
    TELL = "tell"


class Answer(models.TextChoices):
    """What Stripe said. ``UNASKED``: nothing, since it has something else than the page showed.

    ``UNHEARD``: it was asked, and did not answer in time.
    """

    ACCEPTED = "accepted"
    DECLINED = "declined"
    REFUSED = "refused"
    UNASKED = "unasked"
    UNHEARD = "unheard"


UNPAID = {
    Answer.DECLINED: Outcome.DECLINED,
    Answer.REFUSED: Outcome.REFUSED,
    Answer.UNHEARD: Outcome.TOO_LATE,
}


def codes_of(saved: Mapping[str, Any]) -> dict[str, Any]:
    """What names a saved method, for those who word it later, and its id."""
    return {name: saved[name] for name in ("id", "kind", "brand", "last4")}


def _is_too_late(operation: StripeOperation) -> bool:
    return timezone.now() - operation.created_at > PRESS_LIFE


def _check(operation: StripeOperation) -> None:
    """Compare what Stripe has with what the page showed."""
    if _is_too_late(operation):
        fail(operation, {"outcome": Outcome.TOO_LATE})
    elif not still_may(operation, Permission.BILLING_INVOICES_PAY):
        fail(operation, {"outcome": Outcome.NOT_ALLOWED})
    elif _is_as_shown(operation, gateway.due(operation.stripe_id)):
        operation.renew(step=Step.PAY)
    else:
        account = BillingAccount.objects.get(organization=operation.organization_id)
        sync_customer(account)
        sync_subscriptions(account)
        _note(operation, Answer.UNASKED)


def _is_as_shown(operation: StripeOperation, due: Due) -> bool:
    shown = operation.params
    same = (due.amount, due.currency, due.pays) == (shown["amount"], shown["currency"], shown["method"]["id"])
    return same and not due.on_its_way


def _pay(operation: StripeOperation) -> None:
    """Charge, once: the same key again tells what the first call did, and none is asked for after that."""
    if operation.key_spent or _is_too_late(operation) or _asks_for_another_amount(operation):
        _note(operation, Answer.UNHEARD)
        return
    try:
        gateway.pay_invoice(
            invoice_id=operation.stripe_id,
            method_id=operation.params["method"]["id"],
            idempotency_key=operation.idempotency_key,
        )
    except gateway.GatewayForbidden:
        raise
    except gateway.GatewayDeclined as declined:
        _note(operation, Answer.DECLINED, error=str(declined))
    except gateway.GatewayRefused as refused:
        _note(operation, Answer.REFUSED, error=str(refused))
    else:
        _note(operation, Answer.ACCEPTED)


def _asks_for_another_amount(operation: StripeOperation) -> bool:
    """Of a payment that is asked for again, since it was compared: nothing is left of one that was made."""
    if operation.attempts == 1:
        return False
    return gateway.due(operation.stripe_id).amount not in {0, operation.params["amount"]}


def _note(operation: StripeOperation, answer: Answer, *, error: str = "") -> None:
    operation.renew(step=Step.TELL, result={"answer": answer}, error=error)


def _tell(operation: StripeOperation) -> None:
    """Write the invoice down as it is now, and what that says of the payment."""
    account = BillingAccount.objects.get(organization=operation.organization_id)
    sync_invoice(account, operation.stripe_id)
    invoice = Invoice.objects.get(stripe_id=operation.stripe_id)
    outcome = _outcome(operation, invoice)
    result = {**operation.result, "outcome": outcome}
    if outcome is Outcome.AMOUNT_CHANGED:
        result |= {"amount": invoice.amount_remaining, "currency": invoice.currency}
    if outcome is Outcome.METHOD_CHANGED:
        result |= _what_pays_now(account, invoice)
    if outcome is Outcome.DECLINED:
        result["reason"] = invoice.failure_code
    if Outcome(result["outcome"]).is_good:
        finish(operation, state=OperationState.DONE, error=operation.error, result=result)
    else:
        fail(operation, result, error=operation.error)


def _outcome(operation: StripeOperation, invoice: Invoice) -> Outcome:
    answer = operation.result["answer"]
    if invoice.payment_status == PaymentStatus.PROCESSING:
        return Outcome.ON_ITS_WAY
    if invoice.status == InvoiceStatus.PAID:
        return Outcome.PAID if answer in {Answer.ACCEPTED, Answer.UNHEARD} else Outcome.PAID_BEFORE
    if invoice.status == InvoiceStatus.VOID:
        return Outcome.VOID
    if answer == Answer.UNASKED:
        is_same = invoice.amount_remaining == operation.params["amount"]
        return Outcome.METHOD_CHANGED if is_same else Outcome.AMOUNT_CHANGED
    if invoice.payment_status == PaymentStatus.REQUIRES_ACTION:
        return Outcome.CONFIRM
    if answer == Answer.ACCEPTED:
        has_failed = invoice.payment_status == PaymentStatus.FAILED
        return Outcome.DECLINED if has_failed else Outcome.ON_ITS_WAY
    return UNPAID[Answer(answer)]


def _what_pays_now(account: BillingAccount, invoice: Invoice) -> dict[str, Any]:
    current = Subscription.objects.for_org(account.organization_id).current()
    saved = saved_for(invoice.subscription_id, current, saved_by(account))
    return {"method": codes_of(saved)} if saved else {"outcome": Outcome.METHOD_GONE}


register(OperationKind.PAY_INVOICE, steps={Step.CHECK: _check, Step.PAY: _pay, Step.TELL: _tell})
