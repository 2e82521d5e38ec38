"""Stripe's pages that are open for a person who no longer belongs to the organization: they are closed."""

import uuid
from typing import Any

from django.db.models.functions import Now
from django.dispatch import receiver

from billing.selectors.removal import pages_of
from billing.tasks import resume_operations
from orgs import events
from work.doorbell import ring


@receiver(events.membership_ended)
def close_pages(organization_id: uuid.UUID, user_id: uuid.UUID, **_kwargs: Any) -> None:
    """Right after the commit, or by the sweep; also those that are still to be made.

    What is completed before is refused, see each kind's steps.
    """
    pages = pages_of(organization_id, [user_id])
    ids = [str(pk) for pk in pages.values_list("pk", flat=True)]
    pages.update(next_attempt_at=Now())
    ring(resume_operations, *ids)
