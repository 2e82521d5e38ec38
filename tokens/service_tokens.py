"""The tokens of the product beside the portal: made and revoked at the server's console, by nobody's page."""

from collections.abc import Iterable
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.validators import validate_display_name
from audit.services import Actor, record
from orgs.errors import Refused
from orgs.policy import HOST_GRANTS, Permission
from tokens import actions
from tokens.models import ServiceToken
from tokens.secret import OF_SERVICE, SHOWN, digest_of, new_secret
from tokens.services import LONGEST_LIFE


@transaction.atomic
def make_service_token(
    *, name: str, scopes: Iterable[Permission], life: timedelta
) -> tuple[ServiceToken, str]:
    """Answers the token with its secret, which nobody can learn again. Raises Refused."""
    chosen = sorted(set(scopes))
    if not chosen or not HOST_GRANTS.issuperset(chosen):
        raise Refused(f"A service token can be given {', '.join(sorted(HOST_GRANTS))}.")
    if not timedelta() < life <= LONGEST_LIFE:
        raise Refused(f"A service token lasts for {LONGEST_LIFE.days} days at most.")
    try:
        validate_display_name(name)
    except ValidationError as error:
        raise Refused(error.message) from None
    if ServiceToken.objects.filter(name=name).exists():
        raise Refused("A service token has this name. Revoke it first, or choose another name.")
    secret = new_secret(OF_SERVICE)
    token = ServiceToken.objects.create(
        name=name,
        digest=digest_of(secret),
        start=secret[:SHOWN],
        scopes=chosen,
        expires_at=timezone.now() + life,
    )
    record(
        actions.SERVICE_TOKEN_MADE,
        actor=Actor.system(),
        organization=None,
        target=(token.pk, token.name),
        scopes=" ".join(chosen),
        expires=token.expires_at.date().isoformat(),
    )
    return token, secret


@transaction.atomic
def revoke_service_token(*, name: str) -> None:
    """End a token at once. Raises ServiceToken.DoesNotExist."""
    token = ServiceToken.objects.select_for_update().get(name=name)
    record(
        actions.SERVICE_TOKEN_REVOKED,
        actor=Actor.system(),
        organization=None,
        target=(token.pk, token.name),
    )
    token.delete()
