"""Codes and tokens of connected programs: rows of django-allauth's, which hold hashes alone.

Those that came of one sign-in, with all that were made of them since, are one family. It ends together.
"""

import uuid
from datetime import timedelta
from typing import Any

from allauth.idp.oidc.models import Client, Token
from django.db.models import Exists, OuterRef, QuerySet, TextField
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.utils import timezone

from programs.models import Connection, ConnectionQuerySet, DeviceRequest

SCOPE = "billing.read"
CODE_LIFE = timedelta(minutes=1)
ACCESS_LIFE = timedelta(minutes=15)
# Each refresh gives a new one, so a program that is used stays connected. `Ending.UNUSED` tells the number.
REFRESH_LIFE = timedelta(days=90)
LIVES = {
    Token.Type.AUTHORIZATION_CODE: CODE_LIFE,
    Token.Type.ACCESS_TOKEN: ACCESS_LIFE,
    Token.Type.REFRESH_TOKEN: REFRESH_LIFE,
}


def save_credential(
    kind: Token.Type, value: str, *, connection: Connection, family: str, **more: Any
) -> None:
    """``more``: what a code has to be compared with."""
    credential = Token(
        type=kind,
        client=connection.client,
        user=connection.membership.user,
        expires_at=timezone.now() + LIVES[kind],
        data={"connection": str(connection.pk), "family": family, **more},
    )
    credential.set_value(value)
    credential.set_scopes([SCOPE])
    credential.save()


def locked_credential(client: Client, kind: Token.Type, value: str) -> Token | None:
    """The live one of that client. Locked, so that of two programs that use it up one finds it gone."""
    found: Token | None = (
        Token.objects.select_for_update(of=("self",)).filter(client=client).lookup(kind, value)
    )
    return found


def kept_with(credential: Token) -> dict[str, Any]:
    """What ``save_credential`` was given besides the value."""
    return credential.data or {}


def end_family_of(client: Client, value: str) -> None:
    """End what came of the same sign-in as a token. One of another client, or of nobody, ends nothing."""
    kinds = [Token.Type.ACCESS_TOKEN, Token.Type.REFRESH_TOKEN]
    token = Token.objects.filter(client=client).lookup_by_value(kinds, value)
    if token is not None:
        Token.objects.filter(client=client, user=token.user, data__family=kept_with(token)["family"]).delete()


def credentials_of(connection: Connection) -> "QuerySet[Token]":
    mine = Token.objects.filter(client=connection.client_id, user=connection.membership.user_id)
    return mine.filter(data__connection=str(connection.pk))


def without_credentials(connections: ConnectionQuerySet) -> ConnectionQuerySet:
    """Those whose program needs another yes to come back: it holds nothing, and no device waits for it."""
    tokens = Token.objects.annotate(of=KT("data__connection"))
    return connections.filter(
        ~Exists(tokens.filter(of=Cast(OuterRef("pk"), TextField()))),
        ~Exists(DeviceRequest.objects.filter(connection=OuterRef("pk"))),
    )


def new_family() -> str:
    return uuid.uuid4().hex
