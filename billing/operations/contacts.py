"""The mail for invoices, when the person behind it no longer belongs to the organization.

What they were to get ends in the transaction that ends the membership. Stripe, which has one address of the
customer, is told right afterwards.
"""

import hashlib
import uuid
from typing import Any

from django.db import transaction
from django.dispatch import receiver

from accounts.models import User, addresses_of
from audit.services import Actor, record
from billing import gateway
from billing.actions import DETAILS_CHANGED
from billing.gateway.records import Customer
from billing.mirror.customers import write_customer
from billing.mirror.rows import next_fetch_number
from billing.models import BillingAccount, OperationKind, OperationState, StripeOperation
from billing.models.operations import FIRST_STEP
from billing.notices import tell_of_changed_details
from billing.operations.life import finish, key_expired, new_key, register, renew_key
from billing.operations.people import NOBODY, person_of
from billing.selectors.removal import successor_address
from billing.tasks import resume_operations
from orgs import events
from work.doorbell import ring


@receiver(events.membership_ended)
def end_mails_for_invoices(
    organization_id: uuid.UUID, user_id: uuid.UUID, actor: Actor, **_kwargs: Any
) -> None:
    """Also where a change that is still on its way to Stripe would bring the address back.

    Of an organization that is closed the customer keeps its address: what is due must still reach somebody.
    """
    accounts = BillingAccount.objects.select_related("organization").select_for_update(of=("self",))
    account = accounts.filter(organization=organization_id).first()
    if account is None:
        return
    addresses = addresses_of(User.objects.get(pk=user_id))
    _drop_copies(account, addresses)
    if not account.has_customer or account.organization.closed_at is not None:
        return
    if account.email.lower() in addresses or _on_its_way(organization_id, addresses):
        _begin(account, addresses, actor)


def _drop_copies(account: BillingAccount, addresses: set[str]) -> None:
    copies = [address for address in account.copies_to if address.lower() not in addresses]
    if copies != account.copies_to:
        account.copies_to = copies
        account.save(update_fields=["copies_to"])


def _begin(account: BillingAccount, addresses: set[str], actor: Actor) -> None:
    operation = StripeOperation.objects.create(
        organization_id=account.organization_id,
        kind=OperationKind.REPLACE_CONTACT,
        idempotency_key=new_key(),
        actor_kind=actor.kind,
        actor_id=actor.id or NOBODY,
        actor_name=actor.name,
        params={"customer": account.stripe_customer_id, "addresses": sorted(addresses)},
    )
    ring(resume_operations, str(operation.pk))


def _on_its_way(organization_id: uuid.UUID, addresses: set[str]) -> bool:
    """Whether a change of the details to one of these addresses waits for Stripe's answer."""
    pending = StripeOperation.objects.for_org(organization_id).pending()
    changes = pending.filter(kind=OperationKind.UPDATE_DETAILS).values_list("params__wanted", flat=True)
    wanted = [[change.get("email") or "", *change.get("copies_to", [])] for change in changes]
    return any(address.lower() in addresses for change in wanted for address in change)


def _replace(operation: StripeOperation) -> None:
    """Give the customer another address where it is one of the person's; again, if it is so again."""
    if key_expired(operation):
        renew_key(operation)
    if _on_its_way(operation.organization_id, set(operation.params["addresses"])):
        raise gateway.GatewayUnavailable("A change that brings the address back is still on its way.")
    while not _replaced(operation):
        renew_key(operation)


def _replaced(operation: StripeOperation) -> bool:
    customer_id, theirs = operation.params["customer"], operation.params["addresses"]
    if gateway.customer(customer_id).email.lower() in theirs:
        account = BillingAccount.objects.get(organization=operation.organization_id)
        address = successor_address(account, operation.actor_id)
        if address.lower() in theirs:
            # They belong to the organization again.
            finish(operation, state=OperationState.DONE)
            return True
        # Noted first, so that it is told of even where Stripe's answer gets lost.
        operation.renew(result={"address": address})
        gateway.update_customer(
            customer_id=customer_id,
            params={"email": address},
            # A key is for one request only, and so for one address.
            idempotency_key=f"{operation.idempotency_key}-{hashlib.sha256(address.encode()).hexdigest()[:16]}",
        )
    number = next_fetch_number()
    return _note(operation, gateway.customer(customer_id), number)


@transaction.atomic
def _note(operation: StripeOperation, customer: Customer, number: int) -> bool:
    """Write down the customer as they are now. False: there is something to replace yet."""
    account = BillingAccount.objects.locked_of(operation.organization_id)
    _drop_copies(account, set(operation.params["addresses"]))
    if account.stripe_customer_id == customer.id:
        write_customer(account, customer, number)
        if customer.email.lower() in operation.params["addresses"]:
            return False
    if operation.result and operation.result["address"] == customer.email:
        event = record(
            DETAILS_CHANGED,
            actor=person_of(operation),
            organization=account.organization,
            target=(operation.pk, ""),
            parts="email",
        )
        tell_of_changed_details(account.organization, event, ["email"])
    finish(operation, state=OperationState.DONE)
    return True


register(OperationKind.REPLACE_CONTACT, steps={FIRST_STEP: _replace})
