"""What this app makes of the domain events of ``orgs``, within the transaction of what they tell of."""

import uuid

from django.dispatch import receiver

from billing.operations.leaving import let_leave
from billing.operations.names import let_name_follow
from billing.tasks import resume_operations
from orgs import events
from orgs.acting import OrganizationPrincipal
from work.doorbell import ring


@receiver(events.organization_renamed)
def organization_renamed(actor: OrganizationPrincipal, old: str, **_kwargs: object) -> None:
    operation = let_name_follow(actor, old)
    if operation is not None:
        ring(resume_operations, str(operation.pk))


@receiver(events.edition_changed)
def edition_changed(organization_id: uuid.UUID, new: str, **_kwargs: object) -> None:
    let_leave(organization_id, new)
