"""Writing the audit log. Call it inside the transaction of the change that it tells of."""

import uuid
from dataclasses import dataclass
from typing import Protocol

from audit.events import event_recorded
from audit.models import ActorKind, AuditEvent
from audit.registry import Action, Datum
from work.transactions import ensure_transaction


class Person(Protocol):
    """A person who can act, and as text is their name; the apps above have the real class."""

    id: uuid.UUID


class Organization(Protocol):
    id: uuid.UUID
    name: str


class Token(Protocol):
    """An access token; the apps above have the real class."""

    id: uuid.UUID

    @property
    def name(self) -> str: ...


@dataclass(frozen=True)
class Actor:
    """Who did it: a person, an organization's access token, support staff, Stripe, the product beside the
    portal, or the portal itself.

    ``token``: the access token by which the person, or the product, acted. ``ticket``, ``reason``: why
    support staff did; the customer reads them.
    """

    kind: ActorKind
    name: str
    id: uuid.UUID | None = None
    token: Token | None = None
    ticket: str = ""
    reason: str = ""

    @classmethod
    def person(cls, user: Person, *, token: Token | None = None) -> "Actor":
        return cls(ActorKind.PERSON, str(user), user.id, token)

    @classmethod
    def of_token(cls, token: Token) -> "Actor":
        """One that belongs to no person."""
        return cls(ActorKind.TOKEN, token.name, token.id)

    @classmethod
    def host(cls, name: str, token: Token) -> "Actor":
        """The product beside the portal. ``name``: what customers know it by."""
        return cls(ActorKind.HOST, name, token.id, token)

    @classmethod
    def staff(cls, session_id: uuid.UUID, *, ticket: str, reason: str) -> "Actor":
        """Support staff, whose own names no customer reads: their session leads us to the person."""
        return cls(ActorKind.STAFF, "Support", session_id, ticket=ticket, reason=reason)

    @classmethod
    def stripe(cls) -> "Actor":
        return cls(ActorKind.STRIPE, "Stripe")

    @classmethod
    def system(cls) -> "Actor":
        return cls(ActorKind.SYSTEM, "Billing portal")


def record(
    action: Action,
    /,
    *,
    actor: Actor,
    organization: Organization | None,
    target: tuple[object, str] | None = None,
    **data: Datum,
) -> AuditEvent:
    """Append one event. ``target``: the id and the name, as they are now, of what was changed.

    ``data``: what the action declares, as codes, numbers and names: no words, no secrets.
    Raises LookupError, TypeError or ValueError for data that the action's sentence can't be made of, and
    OutsideTransactionError outside a transaction.
    """
    ensure_transaction(action.code)
    target_id, target_name = target or ("", "")
    # What can't be told must fail here, not on the page.
    action.told(target=target_name, data=data)
    event = AuditEvent.objects.create(
        action=action.code,
        organization_id=organization.id if organization else None,
        organization_name=organization.name if organization else "",
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name,
        token_id=actor.token.id if actor.token else None,
        token_name=actor.token.name if actor.token else "",
        ticket=actor.ticket,
        reason=actor.reason,
        target_id=str(target_id),
        target_name=target_name,
        data=data,
    )
    event_recorded.send(AuditEvent, event=event)
    return event
