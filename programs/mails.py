"""The mails about connected programs, to the person who let them read billing."""

from django.conf import settings
from django.urls import reverse

from outbox.models import OutgoingEmail
from outbox.registry import MailKind, RenderedMail
from outbox.rendering import render_mail


def _allowed(mail: OutgoingEmail) -> RenderedMail:
    return _render("program_allowed", mail)


def _disconnected(mail: OutgoingEmail) -> RenderedMail:
    return _render("program_disconnected", mail)


def _render(template: str, mail: OutgoingEmail) -> RenderedMail:
    return render_mail(template, mail.params, ours={"url": settings.SITE_URL + reverse("programs")})


PROGRAM_ALLOWED_MAIL = MailKind("program_allowed", _allowed)
PROGRAM_DISCONNECTED_MAIL = MailKind("program_disconnected", _disconnected)
