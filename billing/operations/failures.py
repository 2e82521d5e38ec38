"""Telling of an operation that failed: the audit log always, and its person by mail where nobody waited."""

from collections.abc import Mapping

from audit.registry import Action
from audit.services import record
from billing.actions import ACT_ABANDONED, ACT_FAILED, PAYMENT_LINK_CARD_FAILED
from billing.failures import ABANDONED, outcome_in
from billing.models import OperationKind, StripeOperation
from billing.models.operations import SET_UPS
from billing.notices import tell_of_failed_act
from billing.operations.people import person_of
from orgs.models import Organization

AT_STRIPES_PAGE = (*SET_UPS, OperationKind.START_SUBSCRIPTION)


def is_expected(operation: StripeOperation, code: str) -> bool:
    """Whether its person believes that it goes on by itself. ``code``: of how it ended."""
    if operation.payment_link_id is not None or code in ABANDONED:
        return False
    if operation.kind in AT_STRIPES_PAGE:
        # Until there was a page they were told that nothing was done.
        return bool(operation.stripe_id)
    if operation.kind == OperationKind.PAY_INVOICE and code == "declined":
        # All who may pay get a mail of each payment that failed.
        return False
    # These nobody has pressed for.
    return operation.kind not in {OperationKind.CREATE_CUSTOMER, OperationKind.INVOICE_ON_DEMAND}


def tell_of_failure(organization: Organization, operation: StripeOperation) -> None:
    """In the transaction that ends it."""
    outcome = outcome_in(operation.result)
    if operation.payment_link_id is not None:
        if outcome["code"] not in ABANDONED:
            _record(PAYMENT_LINK_CARD_FAILED, organization, operation, outcome=outcome)
        return
    action = ACT_ABANDONED if outcome["code"] in ABANDONED else ACT_FAILED
    _record(action, organization, operation, act=operation.kind, outcome=outcome)
    if operation.failed_unseen:
        tell_of_failed_act(organization, operation, outcome)


def _record(
    action: Action, organization: Organization, operation: StripeOperation, **facts: str | Mapping[str, str]
) -> None:
    record(
        action,
        actor=person_of(operation),
        organization=organization,
        target=(operation.pk, ""),
        **facts,
    )
