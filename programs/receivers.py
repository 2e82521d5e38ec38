"""What becomes of connected programs when a role changes or a membership ends, in the same transaction."""

import uuid

from django.dispatch import receiver

from orgs import events
from orgs.models import Membership
from programs.models import Ending
from programs.services import end_connections, end_connections_without_right


@receiver(events.role_changed)
def end_connections_of_who_may_have_none(
    organization_id: uuid.UUID, user_id: uuid.UUID, **_kwargs: object
) -> None:
    end_connections_without_right(_membership(organization_id, user_id))


@receiver(events.membership_ended)
def end_connections_of_who_left(organization_id: uuid.UUID, user_id: uuid.UUID, **_kwargs: object) -> None:
    """They would go with the membership, but untold."""
    end_connections(_membership(organization_id, user_id), Ending.RIGHT)


def _membership(organization_id: uuid.UUID, user_id: uuid.UUID) -> Membership:
    memberships = Membership.objects.for_org(organization_id).select_related("organization", "user")
    return memberships.get(user_id=user_id)
