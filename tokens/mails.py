"""The mails about access tokens. None of them holds a secret."""

import uuid
from datetime import datetime

from django.conf import settings
from django.urls import reverse

from orgs.dates import day
from outbox.models import OutgoingEmail
from outbox.registry import MailKind, NoLongerNeeded, RenderedMail
from outbox.rendering import render_mail
from tokens.models import AccessToken, TokenKind


def _made(mail: OutgoingEmail) -> RenderedMail:
    return _render("token_made", mail)


def _revoked(mail: OutgoingEmail) -> RenderedMail:
    return _render("token_revoked", mail)


def _expires(mail: OutgoingEmail) -> RenderedMail:
    if not AccessToken.objects.live().filter(pk=uuid.UUID(mail.params["token_id"])).exists():
        raise NoLongerNeeded("The token has ended.")
    return _render("token_expires", mail)


def _render(template: str, mail: OutgoingEmail) -> RenderedMail:
    params = mail.params
    return render_mail(
        template,
        {**params, "of_organization": params["token_kind"] == TokenKind.ORGANIZATION},
        ours={
            "day": day(datetime.fromisoformat(params["expires"])),
            "url": settings.SITE_URL + reverse("tokens", args=[params["slug"]]),
        },
    )


TOKEN_MADE_MAIL = MailKind("token_made", _made)
TOKEN_REVOKED_MAIL = MailKind("token_revoked", _revoked)
TOKEN_EXPIRES_MAIL = MailKind("token_expires", _expires)
