"""What a person reads of what they asked of Stripe, once it is settled."""

from collections.abc import Iterable

from django.contrib import messages
from django.http import HttpRequest

from billing import change_outcomes, credit_outcomes, ending_outcomes, payment_outcomes
from billing.credit_outcomes import CreditOutcome, credit_outcome_of
from billing.failures import told_by_support
from billing.models import OperationKind, OperationState, StripeOperation
from billing.models.operations import ENDING_KINDS, GIVEN_UP
from billing.payment_outcomes import Outcome
from billing.purchase_outcomes import PurchaseOutcome, purchase_outcome_of

LEVELS = {
    Outcome.PAID: messages.SUCCESS,
    Outcome.ON_ITS_WAY: messages.INFO,
    Outcome.PAID_BEFORE: messages.INFO,
    Outcome.VOID: messages.INFO,
    Outcome.CONFIRM: messages.WARNING,
}
CREDIT_LEVELS = {
    CreditOutcome.BOUGHT: messages.SUCCESS,
    CreditOutcome.SENT: messages.SUCCESS,
    CreditOutcome.ON_ITS_WAY: messages.INFO,
    CreditOutcome.CONFIRM: messages.WARNING,
}


def tell(request: HttpRequest, operations: Iterable[StripeOperation]) -> None:
    """Say how each has ended; what is not settled yet, the page itself says."""
    told = [one for one in operations if one.is_told]
    settled = [one for one in told if GIVEN_UP not in one.result]
    for ended in told:
        if ended not in settled:
            messages.error(request, told_by_support(ended))
    _tell_of_payments(request, [one for one in settled if one.kind == OperationKind.PAY_INVOICE])
    for operation in settled:
        if operation.kind == OperationKind.START_SUBSCRIPTION:
            _tell_of_purchase(request, operation)
        elif operation.kind == OperationKind.BUY_CREDITS:
            level = CREDIT_LEVELS.get(credit_outcome_of(operation), messages.ERROR)
            messages.add_message(request, level, credit_outcomes.sentence_of(operation))
        elif operation.kind != OperationKind.PAY_INVOICE:
            _tell_of_change(request, operation)


def _tell_of_payments(request: HttpRequest, payments: Iterable[StripeOperation]) -> None:
    """Those that ended alike are told as one sum in each currency."""
    by_currency: dict[str, list[StripeOperation]] = {}
    for payment in payments:
        by_currency.setdefault(payment.params["currency"], []).append(payment)
    for of_currency in by_currency.values():
        for outcome, sentence in payment_outcomes.told(of_currency):
            messages.add_message(request, LEVELS.get(outcome, messages.ERROR), sentence)


def _tell_of_purchase(request: HttpRequest, operation: StripeOperation) -> None:
    outcome = purchase_outcome_of(operation)
    level = messages.SUCCESS if outcome is PurchaseOutcome.STARTED else messages.ERROR
    messages.add_message(request, level, str(outcome.label))


def _tell_of_change(request: HttpRequest, operation: StripeOperation) -> None:
    """Of the subscription."""
    is_ending = operation.kind in {*ENDING_KINDS, OperationKind.FOLLOW_CLOSING}
    if operation.state == OperationState.FAILED:
        sentence_of = ending_outcomes.sentence_of if is_ending else change_outcomes.sentence_of
        messages.error(request, sentence_of(operation))
    else:
        done = ending_outcomes.good_sentence_of if is_ending else change_outcomes.good_sentence_of
        messages.success(request, done(operation))
