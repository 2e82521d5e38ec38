"""The mails about money."""

from datetime import date

from django.conf import settings
from django.urls import reverse

from outbox.models import OutgoingEmail
from outbox.registry import RenderedMail, register
from outbox.rendering import render_mail


def card_updated(mail: OutgoingEmail) -> RenderedMail:
    url = settings.SITE_URL + reverse("billing", args=[mail.params["slug"]])
    return render_mail("card_updated", mail.params, ours={"url": url})


def payment_failed(mail: OutgoingEmail) -> RenderedMail:
    slug, next_attempt = mail.params["slug"], mail.params["next_attempt"]
    return render_mail(
        "payment_failed",
        {
            **mail.params,
            "next_attempt": date.fromisoformat(next_attempt) if next_attempt else None,
        },
        ours={
            "amount": mail.params["amount"],
            "url": settings.SITE_URL + reverse("billing", args=[slug]),
            "invoice_url": settings.SITE_URL + reverse("invoice", args=[slug, mail.params["invoice_id"]]),
        },
    )


register("card_updated", card_updated)
register("payment_failed", payment_failed)
