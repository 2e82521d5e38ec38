"""Locks, always in one order: organization, membership, billing account, operation."""

from billing.models import BillingAccount
from orgs.locking import lock_organization_of
from orgs.models import Membership
from orgs.policy import Permission, ensure


def lock_for(actor: Membership, permission: Permission) -> BillingAccount:
    """Lock the billing account, with the organization, for a person who may.

    Raises Denied and Membership.DoesNotExist.
    """
    organization, actor = lock_organization_of(actor)
    ensure(actor, permission)
    return BillingAccount.objects.locked(organization)
