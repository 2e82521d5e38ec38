"""What of this app the audit log tells."""

from datetime import date

from django.utils.translation import gettext_lazy

from audit.registry import Action, label_in
from orgs.actions import permission
from orgs.dates import day
from tokens.models import Ending, TokenKind

kind = label_in(TokenKind)


def permissions(codes: str) -> str:
    return ", ".join(permission(code) for code in codes.split())


def expiry(last_day: str) -> str:
    return day(date.fromisoformat(last_day))


MADE = Action(
    "access_token.made",
    gettext_lazy("Made an access token"),
    gettext_lazy("made the %(kind)s %(target)s, which ends on %(expires)s and may %(scopes)s"),
    kind=kind,
    scopes=permissions,
    expires=expiry,
)
REVOKED = Action(
    "access_token.revoked",
    gettext_lazy("Revoked an access token"),
    gettext_lazy("revoked the %(kind)s %(target)s, which %(owner)s had made"),
    kind=kind,
    owner=str,
)
ENDED = Action(
    "access_token.ended",
    gettext_lazy("Ended an access token"),
    gettext_lazy("ended the access token %(target)s of %(owner)s: %(reason)s"),
    owner=str,
    reason=label_in(Ending),
)
SERVICE_TOKEN_MADE = Action(
    "service_token.made",
    gettext_lazy("Made a service token"),
    gettext_lazy("made the service token %(target)s, which ends on %(expires)s and may %(scopes)s"),
    scopes=permissions,
    expires=expiry,
)
SERVICE_TOKEN_REVOKED = Action(
    "service_token.revoked",
    gettext_lazy("Revoked a service token"),
    gettext_lazy("revoked the service token %(target)s"),
)
