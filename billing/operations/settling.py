"""What has not come to its end at Stripe is tried again now, or given up: the acts of support staff."""

import uuid

from django.utils.translation import gettext as _

from billing.actions import OPERATION_GIVEN_UP, OPERATION_RETRIED
from billing.models import OperationState, StripeOperation
from billing.models.operations import GIVEN_UP
from billing.operations.life import fail
from billing.tasks import resume_operations
from orgs.acting import Act, OrganizationPrincipal, acting
from orgs.errors import PageOutdated, Refused
from orgs.policy import Permission
from work.doorbell import ring


def try_again(*, actor: OrganizationPrincipal, operation_id: uuid.UUID, shown: str) -> None:
    """Let the workers go on with an operation now; of one that waits, they ask Stripe how far its person is.

    ``shown``: its ``progress`` on the page. Raises Denied, PageOutdated, Refused and
    StripeOperation.DoesNotExist.
    """
    with acting(actor, Permission.OPERATIONS_SETTLE) as act:
        operation = _unsettled(act, operation_id, shown)
        operation.make_due()
        act.record(OPERATION_RETRIED, target=(operation.pk, ""), act=operation.kind)
        ring(resume_operations, str(operation.pk))


def give_up(*, actor: OrganizationPrincipal, operation_id: uuid.UUID, shown: str) -> StripeOperation:
    """End an operation as failed, and tell its person as of any other that failed.

    Stripe is asked for nothing: what it did by then stays done, and the mirror follows. Raises as above.
    """
    with acting(actor, Permission.OPERATIONS_SETTLE) as act:
        operation = _unsettled(act, operation_id, shown)
        if operation.state == OperationState.WAITING:
            raise Refused(_("It waits for a person or their bank, and ends by itself. Let it wait."))
        act.record(OPERATION_GIVEN_UP, target=(operation.pk, ""), act=operation.kind)
        fail(operation, {**operation.result, GIVEN_UP: operation.was_asked}, error=operation.error)
    return operation


def _unsettled(act: Act, operation_id: uuid.UUID, shown: str) -> StripeOperation:
    """Locked, as the page showed it, with no worker at it."""
    operation = StripeOperation.objects.for_org(act.organization).select_for_update().get(pk=operation_id)
    if operation.is_settled:
        raise Refused(_("It has ended. Who wants it again has to ask for it again."))
    if operation.is_leased:
        raise Refused(_("A worker is at it right now. Look again in a minute."))
    if operation.progress != shown:
        raise PageOutdated(_("It was tried meanwhile. This page shows how it is now."))
    return operation
