"""Who asked for an operation, and whether they still may."""

import uuid

from audit.models import ActorKind
from audit.services import Actor
from billing.models import StripeOperation
from orgs.models import Membership
from orgs.policy import Permission, may

# Who asked for what no person did: a program, or the portal itself.
NOBODY = uuid.UUID(int=0)


def person_of(operation: StripeOperation) -> Actor:
    if operation.actor_kind == ActorKind.SYSTEM:
        return Actor.system()
    return Actor(ActorKind(operation.actor_kind), operation.actor_name, operation.actor_id)


def still_may(operation: StripeOperation, permission: Permission) -> bool:
    """Certain under the organization's lock, which every change of a membership takes."""
    memberships = Membership.objects.for_org(operation.organization_id).select_related("organization")
    membership = memberships.filter(user_id=operation.actor_id, user__is_active=True).first()
    return membership is not None and may(membership, permission)
