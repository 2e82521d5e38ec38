"""What becomes of a person's places in teams when their role changes or their membership ends, in the same
transaction.
"""

import uuid

from django.dispatch import receiver

from orgs import events
from orgs.models import Organization
from orgs.policy import Role
from teams.services import end_team_memberships


@receiver(events.role_changed)
def end_teams_of_billing_managers(
    organization_id: uuid.UUID, user_id: uuid.UUID, new: str, **_kwargs: object
) -> None:
    if Role(new).is_billing_manager:
        end_team_memberships(Organization.objects.get(pk=organization_id), user_id)


@receiver(events.membership_ended)
def end_teams_of_who_left(organization_id: uuid.UUID, user_id: uuid.UUID, **_kwargs: object) -> None:
    """They would go with the membership, but untold."""
    end_team_memberships(Organization.objects.get(pk=organization_id), user_id)
