"""What becomes of connected programs when a role changes, in the same transaction."""

import uuid

from django.dispatch import receiver

from orgs import events
from orgs.models import Membership
from programs.services import end_connections_without_right


@receiver(events.role_changed)
def end_connections_of_who_may_have_none(
    organization_id: uuid.UUID, user_id: uuid.UUID, **_kwargs: object
) -> None:
    memberships = Membership.objects.for_org(organization_id).select_related("organization", "user")
    end_connections_without_right(memberships.get(user_id=user_id))
