"""Mail bodies from templates."""

from django.conf import settings
from django.template.loader import render_to_string

from outbox.registry import RenderedMail


def render_mail(template: str, context: dict[str, object]) -> RenderedMail:
    """Write a mail from ``templates/mail/<template>.txt`` and ``.html``.

    Both extend ``mail/base.*``; the text template fills the blocks ``subject`` (one line) and ``content``.
    They get ``site_url``, ``product_name``, ``support_email`` and ``subject`` beside ``context``.
    """
    context = {
        **context,
        "site_url": settings.SITE_URL,
        "product_name": settings.PRODUCT_NAME,
        "support_email": settings.SUPPORT_EMAIL,
    }
    # The base puts the subject in the first line, so that a line break in a name can't reach the headers.
    subject, _, text = render_to_string(f"mail/{template}.txt", context).lstrip().partition("\n")
    subject = subject.strip()
    html = render_to_string(f"mail/{template}.html", {**context, "subject": subject})
    return RenderedMail(subject=subject, text=text.strip() + "\n", html=html)
