"""What webhooks tell: acts of the audit log about people and billing, as codes and ids.

A receiver is a program that many can read, so no name and no mail address leaves the portal: of an act's
facts go only those that are named here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.models import ActorKind, AuditEvent
from audit.registry import Action
from billing import actions as billing
from hooks.models import PING
from invitations import actions as invitations
from orgs import actions as orgs


@dataclass(frozen=True)
class Announced:
    """An action that is told. ``facts``: those of its data that are sent."""

    action: Action
    facts: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        return self.action.code

    @property
    def label(self) -> Promise:
        return self.action.label


PEOPLE = (
    Announced(invitations.SENT, ("role",)),
    Announced(invitations.LINK_CREATED, ("role",)),
    Announced(invitations.ACCEPTED, ("role",)),
    Announced(invitations.DECLINED, ("role",)),
    Announced(invitations.REVOKED, ("role",)),
    Announced(invitations.EXPIRED, ("role",)),
    Announced(invitations.ENDED, ("role", "reason")),
    Announced(orgs.ROLE_CHANGED, ("old", "new")),
    Announced(orgs.MEMBERSHIP_REMOVED, ("role",)),
    Announced(orgs.MEMBERSHIP_LEFT, ("role",)),
)
BILLING = (
    Announced(orgs.EDITION_CHANGED, ("old", "new")),
    Announced(orgs.SEATS_CHANGED, ("old", "new")),
    Announced(billing.SUBSCRIPTION_STARTED, ("edition",)),
    Announced(billing.SUBSCRIPTION_CHANGED, ("status",)),
    Announced(billing.SUBSCRIPTION_ENDING, ("ends", "feedback")),
    Announced(billing.SUBSCRIPTION_KEPT),
    Announced(billing.SUBSCRIPTION_UNDONE, ("edition",)),
    Announced(billing.COLLECTION_PAUSED),
    Announced(billing.COLLECTION_RESUMED),
    Announced(billing.PLAN_CHANGED, ("old", "new")),
    Announced(billing.PLAN_CHANGE_PLANNED, ("old", "new", "day")),
    Announced(billing.PLAN_CHANGE_UNDONE, ("day",)),
    Announced(billing.INVOICE_PAID, ("amount",)),
    Announced(billing.INVOICE_PAID_ELSEWHERE, ("amount",)),
    Announced(billing.INVOICE_REFUNDED, ("amount",)),
    Announced(billing.INVOICE_CREDITED, ("amount",)),
    Announced(billing.PAYMENT_FAILED, ("amount", "reason")),
    Announced(billing.CONFIRMATION_NEEDED, ("amount",)),
    Announced(billing.CARD_UPDATED, ("method",)),
    Announced(billing.METHOD_ADDED, ("method",)),
    Announced(billing.METHOD_REMOVED, ("method",)),
    Announced(billing.CARD_RENEWED, ("method", "until")),
    Announced(billing.CARD_ADDED_BY_LINK, ("method",)),
    Announced(billing.DETAILS_CHANGED, ("parts",)),
    Announced(billing.TAX_ID_ADDED),
    Announced(billing.TAX_ID_REMOVED),
)
ANNOUNCED = {announced.code: announced for announced in (*PEOPLE, *BILLING)}


def label_of(code: str) -> str:
    """The event in words; a code that is no longer told stays a code."""
    if code == PING:
        return str(_("Test"))
    return str(ANNOUNCED[code].label) if code in ANNOUNCED else code


def body_of(event: AuditEvent, *, role: str | None) -> str:
    """The webhook about an event of ANNOUNCED, in the shape of Standard Webhooks.

    ``role``: of the person who acted, while they belong to the organization.
    """
    by_person = event.actor_kind == ActorKind.PERSON
    facts = ANNOUNCED[event.action].facts
    return written(
        event.action,
        event.created_at.isoformat(),
        {
            "organization_id": str(event.organization_id),
            "actor": {
                "kind": event.actor_kind,
                "id": str(event.actor_id) if by_person else None,
                "role": role if by_person else None,
            },
            "target_id": event.target_id or None,
            **{fact: event.data[fact] for fact in facts},
        },
    )


def written(kind: str, timestamp: str, data: Mapping[str, Any]) -> str:
    """``timestamp``: when it happened, in ISO format."""
    return json.dumps({"type": kind, "timestamp": timestamp, "data": data})
