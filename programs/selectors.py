"""The connection of a request, and what the pages of connected programs read."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from allauth.idp.oidc.models import Token
from django.utils.translation import ngettext

from accounts.models import User, display_name
from orgs.acting import OrganizationPrincipal
from orgs.endings import counted_among_endings
from orgs.models import Membership
from orgs.policy import Permission, may
from programs.credentials import kept_with
from programs.models import Connection, ConnectionQuerySet
from tokens.secret import OF_PROGRAM, is_well_formed
from tokens.selectors import TokensPage, tokens_page

# An admin sees the latest; the audit log tells of each.
SHOWN = 200


@dataclass(frozen=True)
class ConnectionRow:
    """``owner``: who let the program read billing."""

    id: uuid.UUID
    program: str
    owner: str
    organization: str
    allowed_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True)
class AccessPage:
    """By what programs reach an organization. ``connections``: None for those who see their own only."""

    tokens: TokensPage
    connections: list[ConnectionRow] | None


def is_of_program(secret: str) -> bool:
    """Whether a program that somebody allowed shows it, rather than one with an access token of ours."""
    return secret.startswith(OF_PROGRAM)


def connection_of(secret: str) -> Connection | None:
    """The connection that an access token stands on, in two statements; None: it opens nothing any more."""
    if not (is_of_program(secret) and is_well_formed(secret)):
        return None
    token = Token.objects.lookup(Token.Type.ACCESS_TOKEN, secret)
    return usable_connection(kept_with(token)["connection"]) if token else None


def usable_connection(connection_id: str) -> Connection | None:
    """None: it has ended, or its person can't see billing at this moment."""
    found = Connection.objects.with_people().filter(pk=connection_id).first()
    if found is None:
        return None
    person = found.membership
    return found if person.user.is_active and may(person, Permission.BILLING_VIEW) else None


def connections_of(user: User) -> list[ConnectionRow]:
    return [_row(found) for found in Connection.objects.of_person(user.pk)]


def access_page(membership: Membership) -> AccessPage:
    tokens = tokens_page(membership)
    if not may(membership, Permission.ACCESS_TOKENS_MANAGE):
        return AccessPage(tokens, None)
    found = Connection.objects.for_org(membership.organization).with_people()
    return AccessPage(tokens, [_row(connection) for connection in found[:SHOWN]])


def _row(found: Connection) -> ConnectionRow:
    return ConnectionRow(
        id=found.pk,
        program=found.name,
        owner=display_name(found.membership.user),
        organization=found.organization.name,
        allowed_at=found.allowed_at,
        last_used_at=found.last_used_at,
    )


@counted_among_endings(
    lambda count: ngettext("%(count)s connected program", "%(count)s connected programs", count)
)
def ended_connections(leaving: Sequence[Membership], _actor: OrganizationPrincipal) -> ConnectionQuerySet:
    """See ``orgs.endings``."""
    return Connection.objects.filter(membership__in=leaving)


def memberships_to_share(user: User) -> list[Membership]:
    """Where the person sees billing, and so can let a program read it."""
    return [person for person in _memberships(user) if may(person, Permission.BILLING_VIEW)]


def _memberships(user: User) -> Iterable[Membership]:
    return Membership.objects.of_person(user.pk).order_by("organization__name", "id")
