"""What the page of access tokens reads, and the token of a request."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import ngettext

from orgs.acting import OrganizationPrincipal
from orgs.compiled import compiled
from orgs.endings import count_handled_by, counted_among_endings
from orgs.models import Membership
from orgs.policy import Permission, may
from tokens.actions import MADE
from tokens.models import AccessToken, AccessTokenQuerySet, ServiceToken, TokenKind
from tokens.scopes import SCOPES
from tokens.secret import digest_of, is_well_formed

# An admin sees the latest of all people's; the audit log tells of each.
SHOWN = 200


@dataclass(frozen=True)
class TokenRow:
    """``owner``: who made it. ``may``: what it is allowed to do, as people read it."""

    id: uuid.UUID
    name: str
    start: str
    owner: str
    may: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    expired: bool


@dataclass(frozen=True)
class TokensPage:
    """``of_organization``, ``of_others``: None for those who may see their own only."""

    own: list[TokenRow]
    of_organization: list[TokenRow] | None
    of_others: list[TokenRow] | None


@compiled(AccessToken)
def _with_digest(digest: str) -> QuerySet[AccessToken]:
    return AccessToken.objects.filter(digest=digest).select_related("organization", "membership__user")


def token_of(secret: str) -> AccessToken | None:
    """The token that a program shows, in one statement; None: there is none, or it opens nothing any more."""
    if not is_well_formed(secret):
        return None
    token = next(iter(_with_digest(digest_of(secret))), None)
    if token is None or token.expires_at <= timezone.now():
        return None
    person = token.membership
    if person is None:
        return token
    person.organization = token.organization
    usable = person.user.is_active and may(person, Permission.ACCESS_TOKENS_OWN)
    return token if usable else None


def service_token_of(secret: str) -> ServiceToken | None:
    """The service token that the product shows; None: there is none, or it has ended."""
    if not is_well_formed(secret):
        return None
    return ServiceToken.objects.live().filter(digest=digest_of(secret)).first()


def tokens_page(membership: Membership) -> TokensPage:
    found = AccessToken.objects.for_org(membership.organization)
    own = [_row(token) for token in found.of_kind(membership)]
    if not may(membership, Permission.ACCESS_TOKENS_MANAGE):
        return TokensPage(own, None, None)
    others = list(found.exclude(membership=membership)[:SHOWN])
    return TokensPage(
        own=own,
        of_organization=[_row(token) for token in others if token.kind is TokenKind.ORGANIZATION],
        of_others=[_row(token) for token in others if token.kind is TokenKind.PERSONAL],
    )


def visible_token(membership: Membership, token_id: uuid.UUID) -> AccessToken:
    """One's own, or any for those who manage all. Raises AccessToken.DoesNotExist."""
    found = AccessToken.objects.for_org(membership.organization)
    if not may(membership, Permission.ACCESS_TOKENS_MANAGE):
        found = found.of_kind(membership)
    return found.get(pk=token_id)


@counted_among_endings(
    lambda count: ngettext("%(count)s personal access token", "%(count)s personal access tokens", count)
)
def ended_tokens(leaving: Sequence[Membership], actor: OrganizationPrincipal) -> AccessTokenQuerySet:
    """See ``orgs.endings``."""
    live = AccessToken.objects.for_org(actor.organization_id).live()
    return live.filter(membership__in=leaving)


def kept_tokens(leaving: Sequence[Membership], actor: OrganizationPrincipal) -> list[str]:
    """Those of the organization that people who leave made: see ``orgs.endings.what_goes_on``."""
    if not may(actor, Permission.ACCESS_TOKENS_MANAGE):
        return []
    live = AccessToken.objects.for_org(actor.organization_id).of_kind(None).live()
    count = count_handled_by(leaving, live, actions=[MADE])
    item = ngettext(
        "%(count)s access token of the organization", "%(count)s access tokens of the organization", count
    )
    return [item % {"count": count}] if count else []


def _row(token: AccessToken) -> TokenRow:
    return TokenRow(
        id=token.pk,
        name=token.name,
        start=token.start,
        owner=token.maker_name,
        may=" · ".join(capfirst(str(scope.label)) for scope in SCOPES if scope.value in token.scopes),
        created_at=token.created_at,
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
        expired=token.expires_at <= timezone.now(),
    )
