"""The one way into every verb: lock, read anew, ask the policy again; then record and mail.

Locks are taken in one order everywhere: organization, invitation, membership, billing account.
"""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, Self, TypeVar

from django.db import transaction

from audit.models import ActorKind, AuditEvent
from audit.registry import Action, Datum
from audit.services import Actor, record
from orgs.models import Membership, Organization
from orgs.policy import Permission, Principal, ensure
from outbox.registry import MailKind
from outbox.services import enqueue_each

NAMED_IN_MAILS = frozenset({ActorKind.PERSON, ActorKind.TOKEN, ActorKind.HOST, ActorKind.STAFF})


@dataclass(frozen=True)
class Act:
    """What somebody does to an organization, which is locked until the act ends."""

    organization: Organization
    actor: Actor

    def record(
        self, action: Action, *, target: tuple[object, str] | None = None, **data: Datum
    ) -> AuditEvent:
        """Tell the audit log: see ``audit.services.record``."""
        return record(action, actor=self.actor, organization=self.organization, target=target, **data)

    def mail(self, kind: MailKind, *, to: str, dedupe_key: str, **params: str | int | bool | None) -> None:
        """Put a mail into the outbox. It names the organization, and who acts: see ``NAMED_IN_MAILS``."""
        self.mail_each(kind, to={dedupe_key: to}, not_before=None, **params)

    def mail_each(
        self,
        kind: MailKind,
        *,
        to: Mapping[str, str],
        not_before: datetime | None = None,
        **params: str | int | bool | None,
    ) -> None:
        """The same mail for many: see ``outbox.services.enqueue_each``."""
        enqueue_each(
            kind,
            to=to,
            organization_id=self.organization.pk,
            not_before=not_before,
            organization=self.organization.name,
            slug=self.organization.slug,
            actor=self.actor.name if self.actor.kind in NAMED_IN_MAILS else "",
            **params,
        )


class OrganizationPrincipal(Principal, Protocol):
    """Who can act in one organization: a person of it, an access token of its own, or the product."""

    @property
    def pk(self) -> uuid.UUID: ...

    @property
    def organization(self) -> Organization: ...

    @property
    def organization_id(self) -> uuid.UUID: ...

    @property
    def actor(self) -> Actor: ...

    def read_anew(self, organization: Organization) -> Self:
        """As it is now. Raises an ObjectDoesNotExist when it has ended."""


Who_co = TypeVar("Who_co", covariant=True)
SomePrincipal = TypeVar("SomePrincipal", bound=OrganizationPrincipal)


@dataclass(frozen=True)
class PrincipalsAct(Act, Generic[Who_co]):
    """An act of somebody whose right the policy decides on: ``principal`` as it is now."""

    principal: Who_co

    @property
    def membership(self: "MembersAct") -> Membership:
        return self.principal

    def ensure(self: "PrincipalsAct[SomePrincipal]", permission: Permission) -> None:
        """Ask for a permission that depends on what the verb has found. Raises Denied."""
        ensure(self.principal, permission)


MembersAct = PrincipalsAct[Membership]


@contextmanager
def acting(principal: SomePrincipal, permission: Permission) -> Iterator[PrincipalsAct[SomePrincipal]]:
    """Act in one transaction, with the organization locked and the principal as they are now.

    Raises Denied, and an ObjectDoesNotExist for one that ended since the page was made, such as
    Membership.DoesNotExist for a person who was removed, or whose last day has passed.
    """
    with transaction.atomic():
        organization = Organization.objects.locked(principal.organization_id)
        now = principal.read_anew(organization)
        act = PrincipalsAct(organization, now.actor, now)
        act.ensure(permission)
        yield act


@contextmanager
def acting_as(actor: Actor, organization_id: uuid.UUID) -> Iterator[Act]:
    """The same for an actor whose right is no matter of the policy, such as an invited person."""
    with transaction.atomic():
        yield Act(Organization.objects.locked(organization_id), actor)
