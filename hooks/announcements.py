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
from teams import actions as teams


@dataclass(frozen=True)
class Announced:
    """An action that is told. ``facts``: those of its data that are sent."""

    action: Action
    label: Promise
    facts: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        return self.action.code


PEOPLE = (
    Announced(invitations.SENT, _("Invitation sent"), ("role",)),
    Announced(invitations.LINK_CREATED, _("Invite link made"), ("role",)),
    Announced(invitations.ACCEPTED, _("Invitation accepted"), ("role",)),
    Announced(invitations.DECLINED, _("Invitation declined"), ("role",)),
    Announced(invitations.REVOKED, _("Invitation revoked"), ("role",)),
    Announced(invitations.EXPIRED, _("Invitation expired"), ("role",)),
    Announced(invitations.ENDED, _("Invitation ended by the portal"), ("role", "reason")),
    Announced(orgs.ROLE_CHANGED, _("Role changed"), ("old", "new")),
    Announced(orgs.MEMBERSHIP_REMOVED, _("Person removed"), ("role",)),
    Announced(orgs.MEMBERSHIP_LEFT, _("Person left"), ("role",)),
    Announced(orgs.LAST_DAY_PASSED, _("Last day of a person passed"), ("role", "last_day")),
    Announced(teams.CREATED, _("Team created")),
    Announced(teams.RENAMED, _("Team renamed")),
    Announced(teams.DELETED, _("Team deleted")),
    Announced(teams.PERSON_ADDED, _("Person added to a team"), ("team_id",)),
    Announced(teams.PERSON_REMOVED, _("Person removed from a team"), ("team_id",)),
    Announced(orgs.CLOSING_BEGUN, _("Closing of the organization begun"), ("last_day",)),
    Announced(orgs.CLOSING_UNDONE, _("Closing of the organization undone")),
    Announced(orgs.ORGANIZATION_CLOSED, _("Organization closed, the last webhook")),
)
BILLING = (
    Announced(orgs.EDITION_CHANGED, _("Edition changed"), ("old", "new")),
    Announced(orgs.SEATS_CHANGED, _("Seats changed"), ("old", "new")),
    Announced(billing.SUBSCRIPTION_STARTED, _("Subscription started"), ("edition",)),
    Announced(billing.SUBSCRIPTION_CHANGED, _("Subscription has another status"), ("status",)),
    Announced(billing.SUBSCRIPTION_ENDING, _("Subscription canceled"), ("ends", "feedback")),
    Announced(billing.SUBSCRIPTION_KEPT, _("Subscription kept after all")),
    Announced(billing.SUBSCRIPTION_UNDONE, _("Subscription ended at once"), ("edition",)),
    Announced(billing.COLLECTION_PAUSED, _("Collection paused")),
    Announced(billing.COLLECTION_RESUMED, _("Collection resumed")),
    Announced(billing.PLAN_CHANGED, _("Plan changed"), ("old", "new")),
    Announced(billing.PLAN_CHANGE_PLANNED, _("Plan change planned"), ("old", "new", "day")),
    Announced(billing.PLAN_CHANGE_UNDONE, _("Planned change undone"), ("day",)),
    Announced(billing.CREDITS_BOUGHT, _("Prepaid credits bought"), ("credits", "amount", "expires")),
    Announced(billing.CREDITS_VOIDED, _("Prepaid credits taken back"), ("credits",)),
    Announced(billing.INVOICE_PAID, _("Invoice paid"), ("amount",)),
    Announced(billing.INVOICE_PAID_ELSEWHERE, _("Invoice paid outside Stripe"), ("amount",)),
    Announced(billing.INVOICE_REFUNDED, _("Invoice refunded"), ("amount",)),
    Announced(billing.INVOICE_CREDITED, _("Invoice credited"), ("amount",)),
    Announced(billing.ON_DEMAND_INVOICED, _("On-demand credits put on an invoice"), ("amount", "span")),
    Announced(billing.PAYMENT_FAILED, _("Payment failed"), ("amount", "reason")),
    Announced(billing.CONFIRMATION_NEEDED, _("Payment needs confirmation"), ("amount",)),
    Announced(billing.CARD_UPDATED, _("Card updated"), ("method",)),
    Announced(billing.METHOD_ADDED, _("Payment method added"), ("method",)),
    Announced(billing.METHOD_REMOVED, _("Payment method removed"), ("method",)),
    Announced(billing.CARD_RENEWED, _("Card renewed"), ("method", "until")),
    Announced(billing.CARD_ADDED_BY_LINK, _("Card added by a payment link"), ("method",)),
    Announced(billing.DETAILS_CHANGED, _("Billing details changed"), ("parts",)),
    Announced(billing.TAX_ID_ADDED, _("Tax id added")),
    Announced(billing.TAX_ID_REMOVED, _("Tax id removed")),
    Announced(billing.BUDGET_CHANGED, _("Budget changed"), ("old", "new")),
    Announced(billing.THRESHOLD_REACHED, _("Use reached a threshold"), ("limit", "percent", "period")),
    Announced(billing.USAGE_STOPPED, _("Use is to stop"), ("limit",)),
    Announced(billing.USAGE_RESUMED, _("Use may go on")),
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
