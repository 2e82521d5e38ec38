"""Webhooks are written within the transaction of the act that they tell of."""

import uuid

from django.db.models import QuerySet
from django.dispatch import receiver

from audit.events import event_recorded
from audit.models import AuditEvent
from hooks.announcements import ANNOUNCED, body_of
from hooks.models import Endpoint
from hooks.services import put
from orgs.compiled import compiled
from orgs.models import Membership


@receiver(event_recorded)
def announce(event: AuditEvent, **_kwargs: object) -> None:
    if event.organization_id is None or event.action not in ANNOUNCED:
        return
    endpoints = [one for one in _endpoints(event.organization_id) if one.listens_to(event.action)]
    if endpoints:
        of_actor = Membership.objects.for_org(event.organization_id).filter(user=event.actor_id)
        role = of_actor.values_list("role", flat=True).first()
        put(event.action, body_of(event, role=role), endpoints)


@compiled(Endpoint)
def _endpoints(organization: uuid.UUID) -> QuerySet[Endpoint]:
    return Endpoint.objects.for_org(organization).kept().filter(organization__closed_at=None)
