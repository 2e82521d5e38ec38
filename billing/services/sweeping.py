"""Resuming in Postgres what a lost doorbell or a process that died has left undone."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import structlog
from django.db.models.functions import Now

from billing.gateway import GatewayUnavailable
from billing.models import OperationKind, OperationState, StripeOperation
from billing.services import cards, customers
from billing.services.operations import resume

logger = structlog.get_logger(__name__)

# After a look at what waits for a person that failed.
PAUSE = timedelta(minutes=1)

RUNNERS: dict[str, Callable[[StripeOperation], None]] = {
    OperationKind.CREATE_CUSTOMER: customers.create,
    OperationKind.SET_UP_CARD: cards.run,
}


def resume_due(*, seconds: float) -> None:
    """Resume what is due, the longest due first, beginning none after ``seconds``."""
    for operation_id in StripeOperation.objects.all().sweep(seconds=seconds):
        _resume(operation_id)


def _resume(operation_id: uuid.UUID) -> None:
    """One that fails by our own fault must not stop the others."""
    waiting = StripeOperation.objects.filter(pk=operation_id, state=OperationState.WAITING)
    try:
        if waiting.update(next_attempt_at=Now() + PAUSE):
            cards.check_card_setup(operation_id)
        else:
            resume(operation_id, RUNNERS[StripeOperation.objects.get(pk=operation_id).kind])
    except GatewayUnavailable:
        logger.warning("stripe_operation_waits", operation=str(operation_id))
    except Exception:
        logger.exception("stripe_operation_failed", operation=str(operation_id))
