"""Finding in Postgres what a lost doorbell or a process that died has left undone."""

import time
from collections.abc import Callable
from datetime import timedelta

import structlog
from django.utils import timezone

from billing.gateway import GatewayUnavailable
from billing.models import OperationKind, OperationState, StripeEvent, StripeOperation
from billing.services import cards, customers
from billing.services.inbox import handle
from billing.services.operations import carry_on

logger = structlog.get_logger(__name__)

BATCH = 100
PAUSE = timedelta(minutes=1)

RUNNERS: dict[str, Callable[[StripeOperation], None]] = {
    OperationKind.CREATE_CUSTOMER: customers.create,
    OperationKind.SET_UP_CARD: cards.run,
}


def sweep(*, seconds: float = 45.0) -> None:
    """Work off what is due, oldest first, beginning nothing after ``seconds``."""
    stop_at = time.monotonic() + seconds
    for event_id in _due_events():
        if time.monotonic() > stop_at:
            return
        handle(event_id)
    for operation in StripeOperation.objects.due().order_by("next_attempt_at")[:BATCH]:
        if time.monotonic() > stop_at:
            return
        _carry_on(operation)


def _due_events() -> list[str]:
    due = StripeEvent.objects.due().order_by("next_attempt_at")
    return list(due.values_list("event_id", flat=True)[:BATCH])


def _carry_on(operation: StripeOperation) -> None:
    """One that fails by our own fault is put off, and must not stop the others."""
    StripeOperation.objects.filter(pk=operation.pk).update(next_attempt_at=timezone.now() + PAUSE)
    try:
        if operation.state == OperationState.WAITING:
            cards.check_card_setup(operation.pk)
        else:
            carry_on(operation.pk, RUNNERS[operation.kind])
    except GatewayUnavailable:
        logger.warning("stripe_operation_waits", operation=str(operation.pk))
    except Exception:
        logger.exception("stripe_operation_failed", operation=str(operation.pk))
