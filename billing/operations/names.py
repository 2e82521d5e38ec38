"""The name on coming invoices follows the organization's, unless somebody chose another one at Stripe."""

import hashlib

from django.db import transaction

from audit.services import record
from billing import gateway
from billing.actions import CUSTOMER_RENAMED
from billing.models import BillingAccount, OperationKind, OperationState, StripeOperation
from billing.models.operations import FIRST_STEP
from billing.operations.life import finish, key_expired, new_operation, register, renew_key
from billing.operations.people import person_of
from orgs.acting import OrganizationPrincipal
from orgs.models import Organization


def let_name_follow(actor: OrganizationPrincipal, old: str) -> StripeOperation | None:
    """Note, in the transaction of the renaming, that Stripe is to be asked for the new name.

    None: there is nothing to ask for; an operation that waits already will find the newest name.
    """
    account = BillingAccount.objects.locked(actor.organization)
    waiting = StripeOperation.objects.for_org(actor.organization_id).pending()
    if not account.has_customer or account.name != old:
        return None
    if waiting.filter(kind=OperationKind.RENAME_CUSTOMER).exists():
        return None
    operation = new_operation(kind=OperationKind.RENAME_CUSTOMER, actor=actor)
    operation.params = {"customer": account.stripe_customer_id}
    operation.save(force_insert=True)
    return operation


def _rename(operation: StripeOperation) -> None:
    """Give the customer the organization's name of now; again, if it changed during the call."""
    if key_expired(operation):
        renew_key(operation)
    while not _renamed(operation):
        pass


def _renamed(operation: StripeOperation) -> bool:
    name = Organization.objects.get(pk=operation.organization_id).name
    gateway.rename_customer(
        customer_id=operation.params["customer"],
        name=name,
        # A key is for one request only, and so for one name.
        idempotency_key=f"{operation.idempotency_key}-{hashlib.sha256(name.encode()).hexdigest()[:16]}",
    )
    with transaction.atomic():
        account = BillingAccount.objects.locked_of(operation.organization_id)
        if account.organization.name != name:
            return False
        if account.stripe_customer_id == operation.params["customer"]:
            account.name = name
            account.save(update_fields=["name"])
        record(
            CUSTOMER_RENAMED,
            actor=person_of(operation),
            organization=account.organization,
            target=(operation.pk, ""),
        )
        finish(operation, state=OperationState.DONE)
    return True


register(OperationKind.RENAME_CUSTOMER, steps={FIRST_STEP: _rename})
