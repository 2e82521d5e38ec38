"""Billing managers who don't stay after a planned change: they leave when it counts, as a person chose."""

import uuid

from django.db.models import Q

from billing.models import OperationKind, OperationState, StripeOperation, Subscription
from billing.operations.people import person_of
from orgs.models import Organization
from orgs.services import remove_billing_managers


def let_leave(organization_id: uuid.UUID, new: str) -> None:
    """In the transaction that gives the organization its new edition.

    A choice holds for the change that it was made for: the one being made, or what a schedule planned last.
    """
    schedules = Subscription.objects.for_org(organization_id).current().exclude(schedule=None)
    planned = Q(
        kind=OperationKind.SCHEDULE_CHANGE,
        state=OperationState.DONE,
        stripe_id__in=[row.schedule["id"] for row in schedules if row.schedule],
    )
    being_made = Q(kind=OperationKind.CHANGE_PLAN, state=OperationState.PENDING)
    asked = StripeOperation.objects.for_org(organization_id).filter(planned | being_made)
    operation = asked.order_by("-created_at").first()
    if operation is not None and operation.params["offer"]["new"]["edition"] == new:
        leaving = [uuid.UUID(pk) for pk in operation.params["leaving"]]
        organization = Organization.objects.get(pk=organization_id)
        remove_billing_managers(organization, leaving, actor=person_of(operation))
