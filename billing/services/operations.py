"""The life of a Stripe operation: claimed for a lease, carried on, put off, done or failed.

Every step is committed before the next begins. ``attempts`` counts claims, and so tells a worker whose lease
ran out that another has the operation.
"""

import uuid
from collections.abc import Callable
from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import display_name
from billing.gateway import GatewayRefused, GatewayUnavailable
from billing.models import OperationKind, OperationState, StripeOperation
from orgs.models import Membership

logger = structlog.get_logger(__name__)

# Longer than the few calls between two steps can take.
LEASE = timedelta(seconds=60)
# Stripe forgets keys after 24 hours at the earliest: https://docs.stripe.com/api/idempotent_requests
KEY_LIFE = timedelta(hours=23)
FIRST_RETRY = timedelta(seconds=10)
LONGEST_RETRY = timedelta(hours=1)


class LeaseLost(Exception):  # noqa: N818 - nothing is wrong: another process carries the operation on
    """The lease ran out, and somebody else has the operation."""


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


def carry_on(operation_id: uuid.UUID, run: Callable[[StripeOperation], None]) -> StripeOperation:
    """Take a pending operation that nobody is at work on as far as it goes now, and return it as it is then.

    When Stripe doesn't answer, it stays pending for the sweep; when Stripe refuses, it fails.
    """
    operation = _claim(operation_id)
    if operation is not None:
        try:
            _attempt(operation, run)
        except LeaseLost:
            logger.warning("stripe_operation_lease_lost", operation=str(operation_id))
    return StripeOperation.objects.get(pk=operation_id)


def _attempt(operation: StripeOperation, run: Callable[[StripeOperation], None]) -> None:
    try:
        run(operation)
    except GatewayUnavailable as error:
        _put_off(operation, error)
    except GatewayRefused as error:
        finish(operation, state=OperationState.FAILED, error=str(error))


def _claim(operation_id: uuid.UUID) -> StripeOperation | None:
    taken = (
        StripeOperation.objects.unleased()
        .filter(pk=operation_id, state=OperationState.PENDING)
        .update(attempts=F("attempts") + 1, leased_until=Now() + LEASE)
    )
    return StripeOperation.objects.get(pk=operation_id) if taken else None


def advance(operation: StripeOperation, **values: object) -> None:
    """Write what was reached, and renew the lease. Raises LeaseLost."""
    _write(operation, leased_until=timezone.now() + LEASE, **values)


def wait(operation: StripeOperation, *, until: object, **values: object) -> None:
    """Leave the operation to the person; look after it at ``until``. Raises LeaseLost."""
    _write(
        operation, state=OperationState.WAITING, leased_until=None, next_attempt_at=until, error="", **values
    )


def finish(operation: StripeOperation, *, state: OperationState, **values: object) -> None:
    """End the operation. Raises LeaseLost."""
    _write(operation, state=state, leased_until=None, finished_at=timezone.now(), **values)


def key_is_of_no_use(operation: StripeOperation) -> bool:
    """Whether Stripe may have forgotten the key, or answers it with its own failure: look up, then renew."""
    return operation.key_spent or timezone.now() - operation.key_saved_at > KEY_LIFE


def renew_key(operation: StripeOperation) -> None:
    """Save a new key before the next call. Raises LeaseLost."""
    advance(operation, idempotency_key=new_key(), key_saved_at=timezone.now(), key_spent=False)


def _put_off(operation: StripeOperation, error: GatewayUnavailable) -> None:
    delay = min(FIRST_RETRY * 2 ** min(operation.attempts - 1, 12), LONGEST_RETRY)
    _write(
        operation,
        leased_until=None,
        next_attempt_at=timezone.now() + delay,
        error=str(error),
        key_spent=operation.key_spent or error.replayed,
    )


def _write(operation: StripeOperation, **values: object) -> None:
    with transaction.atomic():
        changed = StripeOperation.objects.filter(
            pk=operation.pk, attempts=operation.attempts, finished_at=None
        ).update(**values)
        if not changed:
            raise LeaseLost
    for name, value in values.items():
        setattr(operation, name, value)
