"""JSON columns as support staff read them: in lines, never as it is stored."""

from collections.abc import Callable, Iterator
from functools import cache

from django.contrib.admin import display
from django.db.models import JSONField, Model
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

NEW_LINE = mark_safe("<br>")


def shown_json(model: type[Model]) -> dict[str, Callable[[Model], SafeString | str]]:
    """By the name of each JSON column that the admin would show: what tells it in words."""
    fields = model._meta.fields  # noqa: SLF001 - how Django tells of a model's columns
    columns = (one for one in fields if isinstance(one, JSONField) and one.editable)
    return {column.name: _in_words(column) for column in columns}


# The admin compares the fields of a page with those that can only be read.
@cache
def _in_words(column: "JSONField[object, object]") -> Callable[[Model], SafeString | str]:
    @display(description=column.verbose_name)
    def words(row: Model) -> SafeString | str:
        told = ((line,) for line in lines(getattr(row, column.name)))
        return format_html_join(NEW_LINE, "{}", told) or "–"

    return words


def lines(value: object) -> Iterator[str]:
    """``{"address": {"city": "Ulm"}}`` becomes "address: city: Ulm"; what is empty has no line."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from (f"{name.replace('_', ' ')}: {line}" for line in lines(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from lines(inner)
    elif value is not None and value != "":
        yield str(value)
