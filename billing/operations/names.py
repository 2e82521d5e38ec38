"""The name on coming invoices follows the organization's, unless somebody chose another one at Stripe."""

import hashlib

from django.db import transaction
from django.dispatch import receiver

from audit.services import record
from billing import gateway
from billing.actions import CUSTOMER_RENAMED
from billing.models import BillingAccount, OperationKind, OperationState, StripeOperation
from billing.models.operations import FIRST_STEP
from billing.operations.life import finish, key_expired, new_operation, register, renew_key
from billing.operations.people import person_of
from billing.tasks import resume_operations
from orgs import events
from orgs.models import Membership, Organization
from work.doorbell import ring


@receiver(events.organization_renamed)
def let_name_follow(actor: Membership, old: str, **_kwargs: object) -> None:
    """Ask for the new name at Stripe, in the transaction of the renaming.

    An operation that waits already will find the newest name.
    """
    account = BillingAccount.objects.locked(actor.organization)
    waiting = StripeOperation.objects.for_org(actor.organization_id).pending()
    if not account.has_customer or account.name != old:
        return
    if not waiting.filter(kind=OperationKind.RENAME_CUSTOMER).exists():
        operation = new_operation(kind=OperationKind.RENAME_CUSTOMER, actor=actor)
        operation.params = {"customer": account.stripe_customer_id}
        operation.save(force_insert=True)
        ring(resume_operations, str(operation.pk))


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
