"""What mails are made of: each part is written as HTML or, where mail/base.txt is the base, as plain text."""

import re

from django import template
from django.template.context import Context
from django.template.defaultfilters import linebreaksbr
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

register = template.Library()

# Hair spaces stay: they keep names from being links.
SPACES = re.compile(r"[ \t\r\n]+")


@register.simple_block_tag(takes_context=True)
def paragraph(context: Context, content: SafeString, style: str = "") -> str:
    """``{% paragraph %}`` or ``{% paragraph "small" %}``: what stands in it, up to ``{% endparagraph %}``."""
    if context.autoescape:
        return format_html('<p class="{}">{}</p>' if style else "<p>{1}</p>", style, content)
    return f"{SPACES.sub(' ', content).strip()}\n\n"


@register.simple_tag(takes_context=True)
def quote(context: Context, words: str) -> str:
    """``{% quote message %}``: what a person wrote, line by line."""
    if context.autoescape:
        return format_html('<p class="quote">{}</p>', linebreaksbr(words))
    return f"{words}\n\n"


@register.simple_tag(takes_context=True)
def points(context: Context, items: list[str]) -> str:
    """``{% points permissions %}``: one line for each."""
    if context.autoescape:
        return format_html("<ul>{}</ul>", format_html_join("\n", "<li>{}</li>", ((item,) for item in items)))
    return "".join(f"- {item}\n" for item in items) + "\n"


@register.simple_tag(takes_context=True)
def facts(context: Context, *cells: str) -> str:
    """``{% facts _("When") at _("From the address") ip %}``: names and values in turn."""
    rows = list(zip(cells[::2], cells[1::2], strict=True))
    if context.autoescape:
        row = '<tr><th scope="row">{}</th><td>{}</td></tr>'
        return format_html('<table class="facts">{}</table>', format_html_join("", row, rows))
    return "".join(f"{name}: {value}\n" for name, value in rows) + "\n"


@register.simple_tag(takes_context=True)
def link(context: Context, url: str, label: str) -> str:
    """``{% link invoice_url _("Open the invoice") %}``: the way to something besides."""
    if context.autoescape:
        return format_html('<p class="small"><a href="{}">{}</a></p>', url, label)
    return f"{label}:\n{url}\n\n"


@register.simple_tag(takes_context=True)
def button(context: Context, url: str, label: str) -> str:
    """``{% button url _("Open invitation") %}``: the mail's one act.

    Programs that draw no button show its address, which can be copied too.
    """
    if not context.autoescape:
        return link(context, url, label)
    return format_html(
        '<p><a class="button" href="{url}">{label}</a></p>'
        '<p class="small">{or_copy}<br><a class="address" href="{url}">{url}</a></p>',
        url=url,
        label=label,
        or_copy=_("Or copy this address into your browser:"),
    )
