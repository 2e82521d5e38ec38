"""Locks, always in one order: organization, membership, billing account, operation."""

from billing.models import BillingAccount
from orgs.models import Membership, Organization
from orgs.policy import Permission, ensure


def lock_for(actor: Membership, permission: Permission) -> BillingAccount:
    """Lock the billing account, with the organization, for a person who may.

    The membership is read again under the lock: it may have changed since the page was made.
    Raises Denied and Membership.DoesNotExist.
    """
    organization = Organization.objects.locked(actor.organization_id)
    membership = Membership.objects.get(pk=actor.pk)
    membership.organization = organization
    ensure(membership, permission)
    return BillingAccount.objects.locked(organization)
