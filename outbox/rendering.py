"""Mail bodies from templates."""

import re
from collections.abc import Mapping
from datetime import date

from css_inline import CSSInliner
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.functional import Promise

from outbox.inert import inert
from outbox.registry import RenderedMail

# Many mail programs drop styles of the head. What they can't inline, such as dark colors, stays there.
_inliner = CSSInliner(load_remote_stylesheets=False)

# Parts of a text stand one blank line apart, however the lines of a template lie.
BLANK_LINES = re.compile(r"[ \t]*\n[ \t]*\n[ \t\n]*")


def render_mail(
    template: str, context: Mapping[str, object], *, ours: Mapping[str, object] | None = None
) -> RenderedMail:
    """Write a mail from ``templates/mail/<template>.html``, once as text and once as HTML.

    ``context``: texts, which become no links whatever people typed, numbers, days and times. ``ours``: what
    may become a link or must be copied exactly: addresses of our pages, proven mail addresses, amounts.
    The template extends ``base`` (mail/base.txt or .html) and gets ``site_url``, ``product_name`` and
    ``support_email`` besides. Raises TypeError for a value that may hide somebody's text.
    """
    values = {
        **{name: _harmless(value) for name, value in context.items()},
        **(ours or {}),
        "site_url": settings.SITE_URL,
        "product_name": settings.PRODUCT_NAME,
        "support_email": settings.SUPPORT_EMAIL,
    }
    source = f"mail/{template}.html"
    # The base puts the subject in the first line, so that a line break in a name can't reach the headers.
    lines = render_to_string(source, {**values, "base": "mail/base.txt"}).strip()
    # People search their mails with plain spaces.
    lines = lines.replace("\N{NO-BREAK SPACE}", " ")
    subject, _, text = (line.strip() for line in lines.partition("\n"))
    html = render_to_string(source, {**values, "base": "mail/base.html", "subject": subject})
    text = BLANK_LINES.sub("\n\n", text)
    return RenderedMail(subject=subject, text=f"{text}\n", html=_inliner.inline(html))


def _harmless(value: object) -> object:
    match value:
        case str():
            return inert(value)
        case list() | tuple():
            return [_harmless(item) for item in value]
        case int() | date() | Promise() | None:
            return value
    raise TypeError(f"A mail can't show a {type(value).__name__}: name its texts one by one.")
