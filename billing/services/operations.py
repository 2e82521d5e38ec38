"""The life of a Stripe operation: leased, resumed, rescheduled, done or failed.

Every step is committed before the next begins.
"""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import display_name
from billing.gateway import GatewayRefused, GatewayUnavailable
from billing.models import OperationKind, OperationState, StripeOperation
from orgs.models import Membership

# Stripe forgets keys after 24 hours at the earliest: https://docs.stripe.com/api/idempotent_requests
KEY_LIFE = timedelta(hours=23)


def new_operation(*, kind: OperationKind, actor: Membership) -> StripeOperation:
    """An operation with a key of its own, not saved yet."""
    return StripeOperation(
        organization=actor.organization,
        kind=kind,
        idempotency_key=new_key(),
        actor_id=actor.user_id,
        actor_name=display_name(actor.user),
    )


def new_key() -> str:
    return f"portal-{uuid.uuid4().hex}"


def resume(operation_id: uuid.UUID, run: Callable[[StripeOperation], None]) -> StripeOperation:
    """Take a pending operation that nobody is at work on as far as it goes now, and return it as it is then.

    When Stripe doesn't answer, it stays pending for the sweep; when Stripe refuses, it fails.
    """
    operation = StripeOperation.objects.filter(state=OperationState.PENDING).lease(operation_id)
    if operation is not None:
        with operation.attempt():
            _attempt(operation, run)
    return StripeOperation.objects.get(pk=operation_id)


def _attempt(operation: StripeOperation, run: Callable[[StripeOperation], None]) -> None:
    try:
        run(operation)
    except GatewayUnavailable as error:
        operation.reschedule(str(error), key_spent=operation.key_spent or error.replayed)
    except GatewayRefused as error:
        finish(operation, state=OperationState.FAILED, error=str(error))


def wait(operation: StripeOperation, *, until: datetime, **values: object) -> None:
    """Leave the operation to the person; look after it at ``until``. Raises LeaseLost."""
    operation.release(state=OperationState.WAITING, next_attempt_at=until, error="", **values)


def finish(operation: StripeOperation, *, state: OperationState, **values: object) -> None:
    """End the operation. Raises LeaseLost."""
    operation.release(state=state, finished_at=timezone.now(), **values)


def key_expired(operation: StripeOperation) -> bool:
    """Whether Stripe may have forgotten the key, or answers it with its own failure: look up, then renew."""
    return operation.key_spent or timezone.now() - operation.key_saved_at > KEY_LIFE


def renew_key(operation: StripeOperation) -> None:
    """Save a new key before the next call. Raises LeaseLost."""
    operation.renew(idempotency_key=new_key(), key_saved_at=timezone.now(), key_spent=False)
