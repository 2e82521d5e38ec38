"""Fixed texts, icons, times and addresses of rows, in every template without ``{% load %}``.

A page has hundreds of them: as Django's tags and includes they would be most of its time.
"""

import re
import uuid
from datetime import datetime
from functools import cache, lru_cache
from html import escape
from typing import Any, Protocol

from django import template
from django.conf import settings
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.template.base import (
    FilterExpression,
    Node,
    NodeList,
    Parser,
    TextNode,
    Token,
    render_value_in_context,
)
from django.template.context import Context
from django.template.defaulttags import URLNode
from django.template.defaulttags import url as parse_url
from django.template.engine import Engine
from django.templatetags.i18n import (
    BlockTranslateNode,
    TranslateNode,
    do_block_translate,
    do_translate,
)
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from orgs.dates import day, day_here, machine_text, moment, page_language

register = template.Library()

NO_ROW = str(uuid.UUID(int=0))
ADDRESSES_KEPT = 4096
# Around the name of a text that is put in later. No name of ours or of people has a private character.
MARK = "\ue000"
MARKED = re.compile(f"{MARK}([a-z_]+){MARK}")


class NamedRow(Protocol):
    """Any NamedTuple."""

    def _asdict(self) -> dict[str, Any]: ...
    def _replace(self, **values: Any) -> "NamedRow": ...


class FixedText(Node):
    """A text whose translation is looked up once for each language, not whenever the page is written."""

    def __init__(self, translated: TranslateNode) -> None:
        self.name, translated.asvar = translated.asvar, None
        self.translated = translated
        self.texts: dict[str | None, str] = {}

    def render(self, context: Context) -> str:
        language = page_language()
        text = self.texts.get(language)
        if text is None:
            text = self.texts[language] = self.translated.render(context)
        if self.name is None:
            return text
        context[self.name] = text
        return ""


@register.tag
def translate(parser: Parser, token: Token) -> Node:
    """Django's ``{% translate "Save" %}``, for one fixed text; ``{% blocktranslate %}`` takes what varies."""
    node = do_translate(parser, token)
    expression = node.filter_expression
    text = getattr(expression.var, "literal", None)
    if expression.filters or not isinstance(text, str) or node.noop or node.message_context:
        raise template.TemplateSyntaxError("translate takes one fixed text, in quotes.")
    return FixedText(node)


class VaryingText(Node):
    """A text with names in it, likewise. One that hangs on a count is Django's own affair."""

    def __init__(self, translated: BlockTranslateNode) -> None:
        self.translated = translated
        self.text, self.names = translated.render_token_list(translated.singular)
        self.texts: dict[str | None, str] = {}

    def render(self, context: Context) -> str:
        language = page_language()
        text = self.texts.get(language)
        if text is None:
            text = self.texts[language] = gettext(self.text)
        given = {name: value.resolve(context) for name, value in self.translated.extra_context.items()}
        with context.push(**given):
            words = {name: render_value_in_context(context.get(name, ""), context) for name in self.names}
        try:
            written = text % words
        except (KeyError, ValueError):
            # A faulty translation breaks no page.
            written = self.text % words
        written = mark_safe(written)  # noqa: S308 - a template's own text, and escaped words
        if self.translated.asvar is None:
            return written
        context[self.translated.asvar] = written
        return ""


@register.tag
def blocktranslate(parser: Parser, token: Token) -> Node:
    """Django's ``{% blocktranslate %}``."""
    node: BlockTranslateNode = do_block_translate(parser, token)
    return node if node.plural or node.message_context else VaryingText(node)


class FixedPart(Node):
    """A part that is the same on everybody's page: written once for each language, from no page's context."""

    # By part and language.
    written: dict[tuple[Node, str | None], str] = {}

    def __init__(self, part: NodeList) -> None:
        self.nodelist = part

    def render(self, context: Context) -> SafeString:
        key = self, page_language()
        if key not in self.written:
            nobodys = Context()
            nobodys.template = context.template
            self.written[key] = self.nodelist.render(nobodys)
        return mark_safe(self.written[key])  # noqa: S308 - a template's own words


@register.tag
def fixed(parser: Parser, _token: Token) -> Node:
    """``{% fixed %}…{% endfixed %}``: a part of a page that hangs on settings alone, such as static files.

    It finds nothing of the page's context: no person, no organization.
    """
    part = parser.parse(("endfixed",))
    parser.delete_first_token()
    return FixedPart(part)


@register.tag
def url(parser: Parser, token: Token) -> Node:
    """Django's ``{% url %}``; an address without arguments is looked up once."""
    node: URLNode = parse_url(parser, token)
    varies = node.args or node.kwargs or node.asvar or node.view_name.is_var
    return node if varies else FixedPart(NodeList([node]))


@register.tag
def icon(_parser: Parser, token: Token) -> Node:
    """``{% icon "trash" %}``: the drawing in templates/icons/, put in when the template is compiled."""
    return TextNode(drawing(_icon_name(token)))


@register.tag
def symbol(_parser: Parser, token: Token) -> Node:
    """Before the rows that show it, ``{% symbol "trash" %}``: an icon that ``row_icon`` draws."""
    name = _icon_name(token)
    inside = drawing(name).partition(">")[2].rpartition("</svg>")[0]
    return TextNode(
        '<svg class="icon visually-hidden" aria-hidden="true">'
        f'<symbol id="icon-{name}" viewBox="0 0 16 16">{inside}</symbol></svg>'
    )


@register.tag
def row_icon(_parser: Parser, token: Token) -> Node:
    """``{% row_icon "trash" %}``: the icon of that ``symbol``, in fewer words than the drawing has."""
    return TextNode(f'<svg class="icon" aria-hidden="true"><use href="#icon-{_icon_name(token)}" /></svg>')


def _icon_name(token: Token) -> str:
    try:
        tag, name = token.split_contents()
    except ValueError:
        raise template.TemplateSyntaxError(f"{token.contents}: give one name, in quotes.") from None
    if name[0] != '"' or name[-1] != '"':
        raise template.TemplateSyntaxError(f"{tag} takes one name, in quotes.")
    return name[1:-1]


@register.filter
@cache
def drawing(name: str) -> SafeString:
    """``{{ link.icon|drawing }}``: the icon of a name that is known only when the page is written."""
    return mark_safe(Engine.get_default().get_template(f"icons/{name}.html").source)  # noqa: S308 - our own file


# ``{{ invoice.due_at|day }}``: a day in UTC. ``{{ expires_at|moment }}``, in mails: by the reader's clock.
register.filter("day", day)
register.filter("moment", moment)


@register.simple_tag
def time(at: datetime, style: str = "datetime") -> SafeString:
    """An instant (aware), as ``datetime``, ``date`` or ``ago``: ``{% time invoice.created_at "date" %}``.

    Written in the reader's time zone: see ``orgs.dates``. The element's ``datetime`` is the exact instant. A
    calendar date is no instant: write ``{{ today|day }}``.
    """
    if style == "date":
        text = day_here(at)
    elif style == "ago":
        text = naturaltime(at)
    else:
        text = moment(at)
    return mark_safe(  # noqa: S308 - figures, names of months and our own words
        f'<time datetime="{machine_text(at)}" title="{moment(at, to_the_second=True)}">{text}</time>'
    )


@register.inclusion_tag("_foot.html")
def foot() -> dict[str, str]:
    """``{% foot %}``: whom to ask, at the end of every page. Needs no context: error pages may have none."""
    return {
        "support_email": settings.SUPPORT_EMAIL,
        "help_url": settings.HELP_URL or reverse("help"),
        "terms_url": settings.TERMS_URL,
        "privacy_url": settings.PRIVACY_URL,
    }


@register.simple_tag
@lru_cache(ADDRESSES_KEPT)
def row_urls(url_name: str, *args: str) -> str:
    """Before a loop, with ``for_row`` within: ``{% row_urls "invoice" organization.slug as urls %}``.

    The URL's last argument is the row's: an id or a slug.
    """
    return reverse(url_name, args=[*args, NO_ROW])


class RowsAlike(Node):
    """A part of a row that is the same in many rows but for their ids: written once for each kind."""

    def __init__(self, kind: FilterExpression, row_id: FilterExpression, part: NodeList) -> None:
        self.kind, self.row_id, self.nodelist = kind, row_id, part

    def render(self, context: Context) -> SafeString:
        kept: Any = context.render_context
        written: dict[object, SafeString] = kept.setdefault(self, {})
        kind = self.kind.resolve(context)
        if kind not in written:
            with context.push(row_id=NO_ROW):
                written[kind] = self.nodelist.render(context)
        return mark_safe(for_row(written[kind], self.row_id.resolve(context)))  # noqa: S308 - our own id


@register.tag
def alike(parser: Parser, token: Token) -> Node:
    """``{% alike person.menu person.id %}…{% endalike %}``: a part that depends on its kind and an id alone.

    The part finds the id as ``row_id``, also for ``for_row``; the first row of a kind decides what it says.
    """
    _tag, kind, row_id = token.split_contents()
    part = parser.parse(("endalike",))
    parser.delete_first_token()
    return RowsAlike(parser.compile_filter(kind), parser.compile_filter(row_id), part)


Patterns = dict[object, str]


class Rows(Node):
    """Rows whose words alone differ: the part is written once for each kind, and filled in for each row."""

    def __init__(self, rows: FilterExpression, part: NodeList) -> None:
        self.rows, self.nodelist = rows, part

    def render(self, context: Context) -> SafeString:
        patterns, around = self._surroundings(context)
        return mark_safe(  # noqa: S308 - the words are escaped
            "".join(self._filled(row, patterns, around) for row in self.rows.resolve(context))
        )

    def _surroundings(self, context: Context) -> tuple[Patterns, Context]:
        """The patterns that are written already, and what a part finds beside its row."""
        return {}, context

    def _filled(self, row: NamedRow, patterns: Patterns, around: Context) -> str:
        values = row._asdict()
        words = {name: value for name, value in values.items() if value and isinstance(value, str)}
        kind = tuple(name if name in words else value for name, value in values.items())
        if kind not in patterns:
            marked = row._replace(**{name: f"{MARK}{name}{MARK}" for name in words})
            patterns[kind] = self._pattern(marked, around)
        return patterns[kind] % {name: escape(value) for name, value in words.items()}

    def _pattern(self, marked: NamedRow, around: Context) -> str:
        with around.push(row=marked):
            written = self.nodelist.render(around).replace("%", "%%")
        return MARKED.sub(r"%(\1)s", written)


class KeptRows(Rows):
    """The same, with patterns that are kept for later pages: so a part finds nothing of a page beside its row
    but ``given``, by whose value they are kept.
    """

    def __init__(self, rows: FilterExpression, part: NodeList, given: FilterExpression, name: str) -> None:
        super().__init__(rows, part)
        self.given, self.name = given, name
        self.kept: dict[object, Patterns] = {}

    def _surroundings(self, context: Context) -> tuple[Patterns, Context]:
        given = self.given.resolve(context)
        around = Context({self.name: given})
        around.template = context.template
        return self.kept.setdefault((given, page_language()), {}), around


@register.tag
def rows(parser: Parser, token: Token) -> Node:
    """``{% rows page.rows %}<td>{{ row.name }}</td>{% endrows %}``: a long table, quickly.

    Each row is a NamedTuple of texts, shown as they are, and of values to choose by. Whether a text is there
    can be asked, what it says can't be, nor can a filter change it. The part finds the row as ``row``.

    ``{% rows page.rows given reader.permissions as permissions %}``: for pages with many kinds of few rows.
    The part finds the row and what is given, nothing else of the page, and is written once for each value.
    """
    part = parser.parse(("endrows",))
    parser.delete_first_token()
    match token.split_contents():
        case [_tag, found]:
            return Rows(parser.compile_filter(found), part)
        case [_tag, found, "given", given, "as", name]:
            return KeptRows(parser.compile_filter(found), part, parser.compile_filter(given), name)
        case _:
            raise template.TemplateSyntaxError("rows takes the rows, or: rows … given … as …")


@register.filter
def for_row(urls: str, row_id: uuid.UUID | str) -> str:
    """The address about one row: ``{{ urls|for_row:invoice.id }}``."""
    return urls.replace(NO_ROW, str(row_id))
