"""The mails about what support staff do."""

from django.conf import settings
from django.urls import reverse

from outbox.models import OutgoingEmail
from outbox.registry import MailKind, RenderedMail
from outbox.rendering import render_mail
from support.models import Proof


def _admin_asked(mail: OutgoingEmail) -> RenderedMail:
    return _about_admin("admin_asked", mail)


def _admin_granted(mail: OutgoingEmail) -> RenderedMail:
    return _about_admin("admin_granted", mail)


def _about_admin(template: str, mail: OutgoingEmail) -> RenderedMail:
    url = settings.SITE_URL + reverse("members", args=[mail.params["slug"]])
    context = {**mail.params, "proof": Proof(mail.params["proof"]).label}
    return render_mail(template, context, ours={"url": url})


ADMIN_ASKED_MAIL = MailKind("admin_asked", _admin_asked)
ADMIN_GRANTED_MAIL = MailKind("admin_granted", _admin_granted)
