"""What becomes of tokens when something below them changes, in the same transaction."""

import uuid

from django.dispatch import receiver

from orgs import events
from orgs.models import Membership, Organization
from tokens.models import Ending
from tokens.services import end_tokens, end_tokens_of_closed, end_tokens_without_right


@receiver(events.role_changed)
def end_tokens_of_who_may_have_none(
    organization_id: uuid.UUID, user_id: uuid.UUID, **_kwargs: object
) -> None:
    end_tokens_without_right(_membership(organization_id, user_id))


@receiver(events.membership_ended)
def end_tokens_of_who_left(organization_id: uuid.UUID, user_id: uuid.UUID, **_kwargs: object) -> None:
    """They would go with the membership, but untold."""
    end_tokens(_membership(organization_id, user_id), Ending.MEMBERSHIP)


@receiver(events.organization_closed)
def end_tokens_of_what_is_closed(organization_id: uuid.UUID, **_kwargs: object) -> None:
    end_tokens_of_closed(Organization.objects.get(pk=organization_id))


def _membership(organization_id: uuid.UUID, user_id: uuid.UUID) -> Membership:
    memberships = Membership.objects.for_org(organization_id).select_related("organization")
    return memberships.get(user_id=user_id)
