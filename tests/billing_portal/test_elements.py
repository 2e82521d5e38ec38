"""The tags that every template has."""

import re
import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.template import TemplateDoesNotExist, TemplateSyntaxError, engines
from django.urls import reverse
from django.utils import translation
from django.utils.safestring import mark_safe
from django.utils.timezone import override as override_zone

from billing_portal.templatetags import elements
from orgs import dates

AT = datetime(2026, 11, 1, 23, 5, 9, tzinfo=timezone(timedelta(hours=-2)))


def rendered(source: str, **context: object) -> str:
    return engines["django"].from_string(source).render(context)


@pytest.mark.parametrize(
    ("zone", "style", "shown", "title"),
    [
        ("UTC", "", "2\xa0November 2026, 01:05 UTC", "2\xa0November 2026, 01:05:09 UTC"),
        ("UTC", '"date"', "2\xa0November 2026", "2\xa0November 2026, 01:05:09 UTC"),
        (
            "America/St_Johns",
            "",
            "1\xa0November 2026, 21:35 UTC−3:30",
            "1\xa0November 2026, 21:35:09 UTC−3:30",
        ),
        ("America/St_Johns", '"date"', "1\xa0November 2026", "1\xa0November 2026, 21:35:09 UTC−3:30"),
    ],
)
def test_a_time_is_told_in_the_readers_zone_with_its_exact_instant(
    zone: str, style: str, shown: str, title: str
) -> None:
    with override_zone(ZoneInfo(zone)):
        html = rendered(f"{{% time at {style} %}}", at=AT)
    assert html == f'<time datetime="2026-11-02T01:05:09Z" title="{title}">{shown}</time>'


def test_a_time_can_be_told_by_how_long_ago_it_was() -> None:
    html = rendered('{% time at "ago" %}', at=datetime.now(UTC) - timedelta(minutes=3, seconds=5))
    assert ">3\xa0minutes ago</time>" in html


def test_an_icon_is_the_drawing_itself() -> None:
    assert rendered('{% icon "trash" %}').startswith("<svg")


def test_an_icon_that_is_missing_or_not_named_fails_when_the_template_is_compiled() -> None:
    with pytest.raises(TemplateDoesNotExist):
        rendered('{% icon "no-such-icon" %}')
    for source in ("{% icon %}", "{% icon trash %}", '{% icon "trash" "red" %}'):
        with pytest.raises(TemplateSyntaxError):
            rendered(source)


def test_rows_get_the_addresses_that_reverse_gives() -> None:
    row = uuid.uuid4()
    source = '{% row_urls "member_remove" slug as urls %}{{ urls|for_row:row }}'
    assert rendered(source, slug="acme", row=row) == reverse("member_remove", args=["acme", row])


@pytest.mark.parametrize(
    ("source", "english", "german"),
    [
        ('{% translate "January" %}', "January", "Januar"),
        ("{% translate 'January' %}", "January", "Januar"),
        ('{% translate "January" as month %}[{{ month }}]', "[January]", "[Januar]"),
        ('{% translate "January" as month %}', "", ""),
    ],
)
def test_a_fixed_text_is_in_the_language_of_whoever_reads(
    source: str, english: str, german: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dates, "SEVERAL_LANGUAGES", True)
    template = engines["django"].from_string(source)
    for language, text in (("en", english), ("de", german)) * 2:
        with translation.override(language):
            assert template.render() == text


@pytest.mark.parametrize(
    ("source", "english", "german"),
    [
        # Texts of Django's own catalog.
        (
            "{% blocktranslate %} By {{ filter_title }} {% endblocktranslate %}",
            " By &lt;i&gt; ",
            " Nach &lt;i&gt; ",
        ),
        (
            "{% blocktranslate with filter_title=name|upper asvar text %} By {{ filter_title }} "
            "{% endblocktranslate %}[{{ text }}{{ filter_title }}]",
            "[ By ADA &lt;i&gt;]",
            "[ Nach ADA &lt;i&gt;]",
        ),
        ("{% blocktranslate %}5 % of {{ nothing }}{% endblocktranslate %}", "5 % of ", "5 % of "),
        (
            "{% blocktranslate trimmed %} {{ many }}\n of it {% endblocktranslate %}",
            "1,000 of it",
            "1.000 of it",
        ),
        (
            "{% blocktranslate count counter=many %}{{ counter }} result"
            "{% plural %}{{ counter }} results{% endblocktranslate %}",
            "1,000 results",
            "1.000 Ergebnisse",
        ),
    ],
)
def test_a_text_with_names_in_it_is_as_django_writes_it(
    source: str, english: str, german: str, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.USE_THOUSAND_SEPARATOR = True
    monkeypatch.setattr(dates, "SEVERAL_LANGUAGES", True)
    template = engines["django"].from_string(source)
    for language, text in (("en", english), ("de", german)) * 2:
        with translation.override(language):
            assert template.render({"filter_title": "<i>", "name": "ada", "many": 1000}) == text


@pytest.mark.parametrize("faulty", ["%(nobody)s Kapitel", "%(name) Kapitel", "100 %"])
def test_a_faulty_translation_breaks_no_page(faulty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elements, "gettext", lambda _text: faulty)
    source = "{% blocktranslate %}A chapter by {{ name }}{% endblocktranslate %}"
    assert rendered(source, name="<Ada>") == "A chapter by &lt;Ada&gt;"


def test_one_fixed_text_serves_every_place_on_a_page() -> None:
    source = '{% for row in rows %}{% translate "January" as month %}{{ row }} {{ month }};{% endfor %}'
    assert rendered(source, rows="ab") == "a January;b January;"


def test_a_fixed_part_is_everybodys_and_in_the_language_of_whoever_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dates, "SEVERAL_LANGUAGES", True)
    source = '{% fixed %}{% translate "January" %}{% if who %}{{ who }}{% endif %}{% endfixed %} {{ who }}'
    template = engines["django"].from_string(source)
    for language, text in (("en", "January"), ("de", "Januar")) * 2:
        for who in ("Ada", "Bo"):
            with translation.override(language):
                assert template.render({"who": who}) == f"{text} {who}"


def test_an_address_without_arguments_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("django.urls.reverse", lambda name, **_kwargs: asked.append(name) or f"/{name}/")
    source = (
        '{% url "profile" %} {% url name %} {% url "dashboard" slug %}{% url "home" as here %} {{ here }}'
    )
    template = engines["django"].from_string(source)
    for number in range(2):
        name = f"name-{number}"
        assert template.render({"name": name, "slug": "acme"}) == f"/profile/ /{name}/ /dashboard/ /home/"
    assert asked == ["profile", "name-0", "dashboard", "home", "name-1", "dashboard", "home"]


@pytest.mark.parametrize(
    "source",
    [
        "{% translate word %}",
        "{% translate 5 %}",
        '{% translate _("Save") %}',
        '{% translate "Save"|upper %}',
        '{% translate "Save" noop %}',
        '{% translate "May" context "month" %}',
    ],
)
def test_a_text_that_varies_is_no_fixed_text(source: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="translate takes one fixed text, in quotes"):
        rendered(source, word="Save")


def test_a_day_stays_on_the_line_of_its_month() -> None:
    at = datetime(2027, 9, 16, 12, 30, tzinfo=UTC)
    assert rendered("{{ at|day }}", at=at) == "16\N{NO-BREAK SPACE}September 2027"
    for style in ("date", "datetime"):
        assert "16\N{NO-BREAK SPACE}September 2027" in rendered("{% time at style %}", at=at, style=style)


def test_rows_of_a_kind_are_alike_but_for_their_ids() -> None:
    source = (
        "{% row_urls 'member_remove' 'acme' as urls %}"
        "{% for kind, pk in rows %}{% alike kind pk %}"
        "{{ kind }} {{ row_id }} {{ urls|for_row:row_id }}{% endalike %}|{% endfor %}"
    )
    first, second, third = (str(uuid.uuid4()) for _number in range(3))
    rows = [("<a>", first), ("b", second), ("<a>", third)]
    text = rendered(source, rows=rows)

    def url(pk: str) -> str:
        return reverse("member_remove", args=["acme", pk])

    assert text.split("|")[:-1] == [
        f"&lt;a&gt; {first} {url(first)}",
        f"b {second} {url(second)}",
        f"&lt;a&gt; {third} {url(third)}",
    ]


def test_pages_leave_the_indentation_of_their_sources_out() -> None:
    source = engines["django"].get_template("organization.html").template.source
    assert "\n<" in source
    assert "\n " not in source
    written = (settings.BASE_DIR / "templates" / "organization.html").read_text()
    assert source.count("\n") == written.count("\n")


def test_rows_refer_to_a_drawing_that_stands_once() -> None:
    drawn = rendered('{% symbol "trash" %}{% row_icon "trash" %}')
    path = re.search(r"<path [^>]+>", elements.drawing("trash"))
    assert path
    assert drawn.count(path[0]) == 1
    assert f'<symbol id="icon-trash" viewBox="0 0 16 16">\n{path[0]}\n</symbol>' in drawn
    assert drawn.endswith('<svg class="icon" aria-hidden="true"><use href="#icon-trash" /></svg>')


class Row(NamedTuple):
    name: str
    note: str
    good: bool


def test_rows_are_filled_with_their_words_as_they_are() -> None:
    found = [
        Row("100 %", "", True),
        Row("<b> & %(note)s", "says so", False),
        Row(mark_safe("<i>"), "", True),
    ]
    part = "{% if row.good %}+{% endif %}{{ row.name }}{% if row.note %}: {{ row.note }}{% endif %} 5 %|"
    drawn = rendered("{% rows found %}" + part + "{% endrows %}", found=found)
    assert drawn == "+100 % 5 %|&lt;b&gt; &amp; %(note)s: says so 5 %|+&lt;i&gt; 5 %|"


def test_rows_are_kept_by_what_is_given_and_find_nothing_else_of_a_page() -> None:
    asked: list[int] = []
    template = engines["django"].from_string(
        "{% rows found given who.roles as roles %}{{ row.name }}{{ roles }}{{ who }}{{ ask }} {% endrows %}"
    )
    found = [Row("a", "", True), Row("b", "", True), Row("c", "", False)]
    for roles in (1, 2, 1):
        page = {"found": found, "who": {"roles": roles}, "ask": lambda: asked.append(1)}
        assert template.render(page) == f"a{roles} b{roles} c{roles} "
    assert asked == []
    template = engines["django"].from_string(
        "{% rows found given ask as asked %}{{ row.name }}{{ asked.count }}{% endrows %}"
    )
    counted = Counted()
    for _page in range(2):
        assert template.render({"found": found, "ask": counted}) == "a1b1c2"


class Counted:
    """How often its count was asked for."""

    def __init__(self) -> None:
        self.times = 0

    def count(self) -> int:
        self.times += 1
        return self.times


@pytest.mark.parametrize(
    "arguments", ["", "found given", "found given who", "found given who as", "found by who"]
)
def test_rows_say_what_they_take(arguments: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="rows takes"):
        rendered(f"{{% rows {arguments} %}}{{% endrows %}}")


def test_rows_of_a_kind_are_written_once() -> None:
    asked: list[int] = []
    found = [Row(str(number), "", number % 2 == 0) for number in range(10)]
    rendered("{% rows found %}{{ row.name }}{{ ask }}{% endrows %}", found=found, ask=lambda: asked.append(1))
    assert len(asked) == 2
