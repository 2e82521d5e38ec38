"""The life of a Stripe operation: leased, resumed, rescheduled, done or failed.

Each kind registers its steps. Every step is committed before the next begins.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import structlog
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from billing.failures import outcome_in
from billing.gateway import (
    GatewayError,
    GatewayForbidden,
    GatewayRefused,
    GatewayUnavailable,
    somebody_waits,
)
from billing.mirror.customers import sync_customer
from billing.models import BillingAccount, OperationKind, OperationState, StripeOperation
from billing.models.operations import MISSING_SCOPE
from billing.operations.failures import is_expected, tell_of_failure
from orgs.acting import OrganizationPrincipal
from orgs.models import Organization

# Stripe forgets keys after 24 hours at the earliest: https://docs.stripe.com/api/idempotent_requests
KEY_LIFE = timedelta(hours=23)
# https://docs.stripe.com/error-codes
RESOURCE_MISSING = "resource_missing"
# The wait after a failed look at an operation that waits for a person.
PAUSE = timedelta(minutes=1)

logger = structlog.get_logger(__name__)

Step = Callable[[StripeOperation], None]


@dataclass(frozen=True)
class Kind:
    """``steps``: each writes how far it has come. ``look``: at how far the person has come."""

    steps: Mapping[str, Step]
    look: Step | None


_kinds: dict[str, Kind] = {}


def register(kind: OperationKind, *, steps: Mapping[str, Step], look: Step | None = None) -> None:
    """Let operations of that kind be resumed by these steps."""
    _kinds[kind] = Kind(steps, look)


def new_operation(*, kind: OperationKind, actor: OrganizationPrincipal) -> StripeOperation:
    """An operation with a key of its own, not saved yet."""
    who = actor.actor
    return StripeOperation(
        organization=actor.organization,
        kind=kind,
        idempotency_key=new_key(),
        actor_kind=who.kind,
        # All who can act in an organization have one.
        actor_id=cast("uuid.UUID", who.id),
        actor_name=who.name,
    )


def new_key() -> str:
    return f"portal-{uuid.uuid4().hex}"


def resume(operation_id: uuid.UUID | str) -> StripeOperation:
    """Take an operation as far as it goes now, unless another worker has it. Returns it as it is then.

    When Stripe doesn't answer, it stays pending for the sweep; when Stripe refuses, it fails. Of one that
    waits for a person, Stripe is asked first how far they have come: raises GatewayUnavailable and
    GatewayForbidden. An error of our own is raised too.
    """
    operation = StripeOperation.objects.get(pk=operation_id)
    kind = _kinds[operation.kind]
    if operation.state == OperationState.WAITING and kind.look:
        kind.look(operation)
    leased = StripeOperation.objects.pending().lease(operation_id)
    if leased is not None:
        with leased.attempt(reraise=True):
            _take_steps(leased, kind.steps)
    return StripeOperation.objects.get(pk=operation_id)


def _take_steps(operation: StripeOperation, steps: Mapping[str, Step]) -> None:
    try:
        while operation.state == OperationState.PENDING:
            steps[operation.step](operation)
    except GatewayUnavailable as error:
        operation.reschedule(str(error), key_spent=operation.key_spent or error.replayed)
    except GatewayForbidden as error:
        finish_forbidden(operation, error)
    except GatewayRefused as error:
        fail(operation, {**operation.result, "reason": error.code}, error=str(error))
        if error.code == RESOURCE_MISSING:
            _look_at_customer(operation)


def _look_at_customer(operation: StripeOperation) -> None:
    """Whether the customer is what is missing: deleted unheard, so that the next press makes another one."""
    account = BillingAccount.objects.filter(organization=operation.organization_id).first()
    if account is not None and account.has_customer:
        with suppress(GatewayError):
            sync_customer(account)


def resume_each(operation_ids: Iterable[uuid.UUID | str]) -> None:
    """Resume each of them; one that fails must not stop the others."""
    for operation_id in operation_ids:
        StripeOperation.objects.waiting().filter(pk=operation_id).update(next_attempt_at=Now() + PAUSE)
        try:
            resume(operation_id)
        except GatewayUnavailable:
            logger.warning("stripe_operation_waits", operation=str(operation_id))
        except GatewayForbidden:
            logger.warning("stripe_operation_forbidden", operation=str(operation_id))
        except Exception:
            logger.exception("stripe_operation_failed", operation=str(operation_id))


def wait(operation: StripeOperation, *, until: datetime, **values: Any) -> None:
    """Leave the operation to the person; look after it at ``until``. Raises LeaseLost."""
    operation.release(state=OperationState.WAITING, next_attempt_at=until, **values)


def finish(operation: StripeOperation, *, state: OperationState, error: str = "", **values: Any) -> None:
    """End the operation. Raises LeaseLost."""
    operation.release(state=state, error=error, finished_at=timezone.now(), **values)


def fail(operation: StripeOperation, result: dict[str, Any], *, error: str = "") -> None:
    """End the operation in vain, and tell of it. ``result``: with the outcome's code. Raises LeaseLost."""
    with transaction.atomic():
        organization = Organization.objects.locked(operation.organization_id)
        unseen = not somebody_waits() and is_expected(operation, outcome_in(result)["code"])
        finish(
            operation,
            state=OperationState.FAILED,
            error=error,
            result=result,
            failed_unseen=unseen,
        )
        tell_of_failure(organization, operation)


def finish_forbidden(operation: StripeOperation, error: GatewayForbidden) -> None:
    """End the operation for want of a scope, which its result names. Raises LeaseLost."""
    fail(operation, {**operation.result, MISSING_SCOPE: error.scope}, error=str(error))


def refusal_of(failed: StripeOperation) -> GatewayRefused:
    """Why an operation that failed did so."""
    if MISSING_SCOPE in failed.result:
        return GatewayForbidden(failed.error, scope=failed.result[MISSING_SCOPE])
    return GatewayRefused("failed", failed.error)


def key_expired(operation: StripeOperation) -> bool:
    """Whether Stripe may have forgotten the key, or answers it with its own failure: look up, then renew."""
    return operation.key_spent or timezone.now() - operation.key_saved_at > KEY_LIFE


def renew_key(operation: StripeOperation) -> None:
    """Save a new key before the next call. Raises LeaseLost."""
    operation.renew(idempotency_key=new_key(), key_saved_at=timezone.now(), key_spent=False)
