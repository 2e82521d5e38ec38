"""Icons, times and addresses of rows, in every template without ``{% load %}``.

A list has hundreds of them: as includes and ``{% url %}`` they would be most of the time of a page.
"""

import uuid
from datetime import UTC, date, datetime

from django import template
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.template.base import Node, Parser, TextNode, Token
from django.template.engine import Engine
from django.urls import reverse
from django.utils.dates import MONTHS
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

NO_ROW = uuid.UUID(int=0)


@register.tag
def icon(_parser: Parser, token: Token) -> Node:
    """``{% icon "trash" %}``: the drawing in templates/icons/, put in when the template is compiled."""
    try:
        _tag, name = token.split_contents()
    except ValueError:
        raise template.TemplateSyntaxError("icon takes one name, in quotes.") from None
    if name[0] != '"' or name[-1] != '"':
        raise template.TemplateSyntaxError("icon takes one name, in quotes.")
    return TextNode(drawing(name[1:-1]))


@register.filter
def drawing(name: str) -> SafeString:
    """``{{ link.icon|drawing }}``: the icon of a name that is known only when the page is written."""
    return mark_safe(Engine.get_default().get_template(f"icons/{name}.html").source)  # noqa: S308 - our own file


@register.filter(expects_localtime=True)
def day(at: date | None) -> str:
    """A calendar date, of an instant in UTC: ``{{ invoice.due_at|day }}`` is 21 November 2026."""
    return f"{at.day} {MONTHS[at.month]} {at.year}" if at else ""


@register.simple_tag
def time(at: datetime, style: str = "datetime") -> SafeString:
    """An instant (aware), as ``datetime``, ``date`` or ``ago``: ``{% time invoice.created_at "date" %}``.

    Written in UTC with the exact instant as title; with script, datetime and date turn into the reader's own
    time zone. A calendar date that is nobody's instant is none: write ``{{ today|day }}``.
    """
    at = at.astimezone(UTC)
    machine, date_text, clock = f"{at:%Y-%m-%dT%H:%M:%SZ}", day(at), f"{at:%H:%M:%S}"
    if style == "ago":
        return format_html(
            '<time datetime="{}" title="{}, {} UTC">{}</time>', machine, date_text, clock, naturaltime(at)
        )
    return format_html(
        '<time datetime="{}" title="{}, {} UTC" data-local="{}">{}</time>',
        machine,
        date_text,
        clock,
        style,
        date_text if style == "date" else f"{date_text}, {clock[:5]} UTC",
    )


@register.simple_tag
def row_urls(url_name: str, slug: str) -> str:
    """Before a loop, with ``for_row`` within: ``{% row_urls "invoice" organization.slug as urls %}``."""
    return reverse(url_name, args=[slug, NO_ROW])


@register.filter
def for_row(urls: str, row_id: uuid.UUID) -> str:
    """The address about one row: ``{{ urls|for_row:invoice.id }}``."""
    return urls.replace(str(NO_ROW), str(row_id))
