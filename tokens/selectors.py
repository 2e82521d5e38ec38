"""What the page of access tokens reads."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from orgs.models import Membership
from orgs.policy import Permission, may
from tokens.models import AccessToken, TokenKind

# An admin sees the latest of all people's; the audit log tells of each.
SHOWN = 200


@dataclass(frozen=True)
class TokenRow:
    """``owner``: who made it. ``may``: what it is allowed to do, as people read it."""

    id: uuid.UUID
    name: str
    start: str
    owner: str
    may: list[str]
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


def tokens_page(membership: Membership) -> TokensPage:
    manages = may(membership, Permission.ACCESS_TOKENS_MANAGE)
    found = AccessToken.objects.for_org(membership.organization)
    tokens = list((found if manages else found.of_kind(membership))[:SHOWN])
    personal = [token for token in tokens if token.kind is TokenKind.PERSONAL]
    return TokensPage(
        own=[_row(token) for token in personal if token.membership_id == membership.pk],
        of_organization=[_row(token) for token in tokens if token not in personal] if manages else None,
        of_others=[_row(token) for token in personal if token.membership_id != membership.pk]
        if manages
        else None,
    )


def visible_token(membership: Membership, token_id: uuid.UUID) -> AccessToken:
    """One's own, or any for those who manage all. Raises AccessToken.DoesNotExist."""
    found = AccessToken.objects.for_org(membership.organization)
    if not may(membership, Permission.ACCESS_TOKENS_MANAGE):
        found = found.of_kind(membership)
    return found.get(pk=token_id)


def _row(token: AccessToken) -> TokenRow:
    return TokenRow(
        id=token.pk,
        name=token.name,
        start=token.start,
        owner=token.maker_name,
        may=[str(permission.label) for permission in Permission if permission in token.permitted],
        created_at=token.created_at,
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
        expired=token.expires_at <= timezone.now(),
    )
