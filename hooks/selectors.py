"""What the pages of webhooks read, one dataclass per page."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import ngettext

from hooks.actions import MADE, SECRET_ROLLED
from hooks.announcements import label_of
from hooks.models import Delivery, Endpoint, OffBecause, State
from orgs.acting import OrganizationPrincipal
from orgs.endings import count_handled_by
from orgs.models import Membership, Organization
from orgs.policy import Permission, may

PAGE_SIZE = 50
WATCHED_FOR = timedelta(minutes=2)


@dataclass(frozen=True)
class EndpointRow:
    """``trouble``: why it is off; empty while it is on. ``failing_since``: None while all is well."""

    id: uuid.UUID
    url: str
    events: int
    trouble: str
    failing_since: datetime | None


@dataclass(frozen=True)
class DeliveryRow:
    """``said``: what the last try came to, in words; empty before the first one."""

    id: uuid.UUID
    event: str
    code: str
    state: State
    tries: int
    said: str
    created_at: datetime


@dataclass(frozen=True)
class EndpointPage:
    """``older``: what the next page of deliveries starts after; None on the last one."""

    endpoint: Endpoint
    off_because: str
    events: list[str]
    old_secret_until: datetime | None
    deliveries: list[DeliveryRow]
    older: uuid.UUID | None


@dataclass(frozen=True)
class DeliveryPage:
    """``payload``: as people read it. ``next_try_at``: None when there is none.

    ``is_watched``: the page asks by itself how the first try ends.
    """

    delivery: Delivery
    row: DeliveryRow
    payload: str
    next_try_at: datetime | None
    can_replay: bool
    is_watched: bool


def endpoint_rows(organization: Organization) -> list[EndpointRow]:
    return [
        EndpointRow(
            id=endpoint.pk,
            url=endpoint.url,
            events=len(endpoint.events),
            trouble=_off_because(endpoint),
            failing_since=endpoint.failing_since,
        )
        for endpoint in Endpoint.objects.for_org(organization).kept()
    ]


def endpoint_page(endpoint: Endpoint, *, after: uuid.UUID | None = None) -> EndpointPage:
    """``after``: the delivery, the last one on the page before."""
    deliveries = Delivery.objects.filter(endpoint=endpoint)
    if after is not None:
        deliveries = deliveries.older_than(get_object_or_404(deliveries, pk=after))
    found = list(deliveries.defer("body", "answer")[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    ends = endpoint.old_secret_until
    return EndpointPage(
        endpoint=endpoint,
        off_because=_off_because(endpoint),
        events=[label_of(code) for code in endpoint.events],
        old_secret_until=ends if ends and ends > timezone.now() else None,
        deliveries=[_row(delivery) for delivery in shown],
        older=shown[-1].pk if len(found) > PAGE_SIZE else None,
    )


def delivery_page(delivery: Delivery) -> DeliveryPage:
    waits = delivery.state == State.WAITING
    return DeliveryPage(
        delivery=delivery,
        row=_row(delivery),
        payload=json.dumps(json.loads(delivery.body), indent=2),
        next_try_at=delivery.next_attempt_at
        if waits and delivery.attempts and not delivery.is_leased
        else None,
        can_replay=not waits and (delivery.endpoint.is_on or delivery.is_ping),
        is_watched=waits
        and (delivery.is_leased or not delivery.attempts)
        and timezone.now() < delivery.next_attempt_at + WATCHED_FOR,
    )


def _off_because(endpoint: Endpoint) -> str:
    return str(OffBecause(endpoint.off_because).label) if endpoint.off_because else ""


def _row(delivery: Delivery) -> DeliveryRow:
    said = delivery.failed_because
    if delivery.answer_status:
        said = f"HTTP {delivery.answer_status}"
    return DeliveryRow(
        id=delivery.pk,
        event=label_of(delivery.event),
        code=delivery.event,
        state=State(delivery.state),
        tries=delivery.attempts,
        said=said,
        created_at=delivery.created_at,
    )


def kept_webhooks(leaving: Sequence[Membership], actor: OrganizationPrincipal) -> list[str]:
    """Those whose secret was shown to people who leave: see ``orgs.endings.what_goes_on``."""
    if not may(actor, Permission.WEBHOOKS_MANAGE):
        return []
    kept = Endpoint.objects.for_org(actor.organization_id).kept()
    count = count_handled_by(leaving, kept, actions=[MADE, SECRET_ROLLED])
    return [ngettext("%(count)s webhook", "%(count)s webhooks", count) % {"count": count}] if count else []
