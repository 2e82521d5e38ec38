"""The organization's Stripe customer: made once, when something first needs it."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from audit.services import record
from billing import gateway
from billing.actions import CUSTOMER_MADE
from billing.gateway.records import Customer
from billing.models import BillingAccount, OperationKind, OperationState, StripeOperation
from billing.models.operations import FIRST_STEP
from billing.operations.life import (
    finish,
    key_expired,
    new_operation,
    refusal_of,
    register,
    renew_key,
    resume,
)
from billing.operations.people import person_of
from orgs.acting import acting
from orgs.models import Membership
from orgs.policy import Permission

# Stripe's clock and ours may differ.
CLOCK_SKEW = timedelta(minutes=5)


def ensure_customer(*, actor: Membership, permission: Permission = Permission.BILLING_CARD_UPDATE) -> str:
    """The id of the organization's Stripe customer, made when it is missing.

    ``permission``: of what the customer is needed for. Raises Denied, Membership.DoesNotExist,
    GatewayUnavailable (the operation stays and is resumed) and GatewayRefused.
    """
    operation = _begin(actor, permission)
    if operation is not None:
        operation = resume(operation.pk)
        if operation.state == OperationState.FAILED:
            raise refusal_of(operation)
    account = BillingAccount.objects.get(organization=actor.organization)
    if not account.has_customer:
        raise gateway.GatewayUnavailable("The Stripe customer is not made yet.")
    return str(account.stripe_customer_id)


def _begin(actor: Membership, permission: Permission) -> StripeOperation | None:
    """The organization's one operation to make a customer; None: there is a customer by now."""
    with acting(actor, permission) as act:
        organization = act.organization
        if BillingAccount.objects.locked(organization).has_customer:
            return None
        operation = (
            StripeOperation.objects.for_org(organization)
            .pending()
            .filter(kind=OperationKind.CREATE_CUSTOMER)
            .first()
        )
        if operation is None:
            operation = new_operation(kind=OperationKind.CREATE_CUSTOMER, actor=act.membership)
            # No mail address: Stripe shows it to the person who pays, and billing managers see no member's.
            operation.params = {
                "name": organization.name,
                "metadata": gateway.tags(organization.pk, operation.pk),
            }
            operation.save(force_insert=True)
        return operation


def _create(operation: StripeOperation) -> None:
    """Make the customer, or find the one that this operation made before; note whose it is."""
    customer = None
    if key_expired(operation):
        since = operation.created_at - CLOCK_SKEW
        customer = gateway.find_customer(operation_id=operation.pk, since=since)
        if customer is None:
            renew_key(operation)
    if customer is None:
        customer = gateway.create_customer(params=operation.params, idempotency_key=operation.idempotency_key)
    _note(operation, customer)


@transaction.atomic
def _note(operation: StripeOperation, customer: Customer) -> None:
    account = BillingAccount.objects.locked_of(operation.organization_id)
    account.stripe_customer_id = customer.id
    account.customer_deleted = False
    account.name, account.email = customer.name, customer.email
    account.synced_at = timezone.now()
    account.save()
    record(
        CUSTOMER_MADE,
        actor=person_of(operation),
        organization=account.organization,
        target=(operation.pk, ""),
    )
    finish(operation, state=OperationState.DONE, stripe_id=customer.id)


register(OperationKind.CREATE_CUSTOMER, steps={FIRST_STEP: _create})
