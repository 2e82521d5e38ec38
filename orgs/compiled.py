"""Querysets compiled once, for the lists of pages that are opened most.

Django compiles a query anew each time: for a short list that takes longer than Postgres and all the rest.
"""

import inspect
import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from random import SystemRandom
from typing import Any, Generic, ParamSpec, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from django.db.models.query import get_related_populators
from django.db.models.sql.compiler import SQLCompiler
from psycopg.sql import Literal

from orgs.replica import reading

Row = TypeVar("Row")
Inputs = ParamSpec("Inputs")
Values = dict[str, Any]

# All that there are, for the tests that hold each to its organization.
declared: list["Compiled[Any, Any]"] = []

_random = SystemRandom()
DAYS_OF_AN_AGE = 365 * 400
PLACEHOLDER = re.compile("%[%s]")
PAST, FUTURE = date(1000, 1, 1), date(5000, 1, 1)


class NotCompilableError(TypeError):
    """A queryset whose statement can't be told apart from the values that it was made with."""


def compiled(
    row: type[Row],
) -> Callable[[Callable[Inputs, "QuerySet[Any, Any]"]], "Compiled[Inputs, Row]"]:
    """Make of a function that gives a queryset one that fetches its rows, and compiles it only once::

        @compiled(PersonRow)
        def people_of(organization: UUID) -> QuerySet[Membership, Any]:
            return Membership.objects.for_org(organization).values_list("id", "role")

        people_of(organization.pk)

    A parameter that is a UUID, a datetime, a date or a text has its place in the statement, where each call
    puts its own value. For each value of a bool or an Enum there is a statement of its own. Other types can't
    be. A queryset that does anything else with a value than to ask for it raises NotCompilableError when it
    is first called, and so does one that reads a clock. No text is empty then, so don't ask whether one is.

    ``row``: a NamedTuple or dataclass with the columns of ``values_list`` in their order; or the model, for a
    queryset of objects, with ``select_related`` and ``annotate`` as well.
    """
    return lambda build: Compiled(row, build)


@dataclass(frozen=True)
class Statement:
    """``values``: those that stay, but are no part of ``sql``. ``places``: where the others stand among them,
    and their names.

    ``converters``: what Django does to the values of a column, by its position. ``read``: makes of the values
    of all columns what the queryset gives.
    """

    sql: str
    values: tuple[Any, ...]
    places: tuple[tuple[int, str], ...]
    converters: tuple[tuple[int, Any, list[Callable[..., Any]]], ...]
    read: Callable[[Sequence[Any]], Any]


class Compiled(Generic[Inputs, Row]):
    """See ``compiled``. ``queryset`` gives the queryset itself, which Django compiles as ever."""

    def __init__(self, row: type[Row], build: Callable[Inputs, "QuerySet[Any, Any]"]) -> None:
        self.row = row
        self.queryset = build
        self.name = f"{build.__module__}.{build.__qualname__}"
        self.parameters: dict[str, type] = inspect.get_annotations(build, eval_str=True)
        self.parameters.pop("return", None)
        self.variants = [name for name, kind in self.parameters.items() if issubclass(kind, bool | Enum)]
        self.markers = [name for name in self.parameters if name not in self.variants]
        if unknown := [name for name in self.markers if self.parameters[name] not in _MARKED]:
            raise NotCompilableError(f"{self.name}: {', '.join(unknown)} can be no parameter")
        self.statements: dict[tuple[object, ...], Statement] = {}
        declared.append(self)

    def __call__(self, *args: Inputs.args, **kwargs: Inputs.kwargs) -> list[Row]:
        """The rows, by one statement."""
        given = {**dict(zip(self.parameters, args, strict=False)), **kwargs}
        statement = self.statement_for(tuple(given[name] for name in self.variants))
        values: list[Any] = list(statement.values)
        for place, name in statement.places:
            values[place] = given[name]
        with reading().cursor() as cursor:
            cursor.execute(statement.sql, values)
            found = cursor.fetchall()
        if statement.converters:
            found = [_converted(row, statement) for row in found]
        return [statement.read(row) for row in found]

    def statement_for(self, variant: tuple[object, ...]) -> Statement:
        """The statement for some values of the bools and Enums. Raises NotCompilableError."""
        known = self.statements.get(variant)
        if known is None:
            known = self.statements[variant] = self._compile(dict(zip(self.variants, variant, strict=True)))
        return known

    def _compile(self, variant: Values) -> Statement:
        """Compile it with two sets of markers: what isn't a marker must be the same both times."""
        past, future = self._marked(PAST), self._marked(FUTURE)
        compiler, sql, params = self._compiled({**variant, **past})
        _compiler, sql_again, params_again = self._compiled({**variant, **future})
        names = {value: name for name, value in past.items()}
        places = tuple((place, names[value]) for place, value in enumerate(params) if _is_one(value, names))
        expected = list(params)
        for place, name in places:
            expected[place] = future[name]
        if lost := set(past) - {name for _place, name in places}:
            raise NotCompilableError(f"{self.name}: the statement doesn't ask for {', '.join(sorted(lost))}")
        if sql_again != sql or list(params_again) != expected:
            raise NotCompilableError(
                f"{self.name}: a value is changed before it is asked for, or a clock read"
            )
        selected = [expression for expression, _sql, _alias in compiler.select]
        sql, kept = _with_constants(sql, params, dict(places))
        return Statement(
            sql=sql,
            values=tuple(params[place] for place in kept),
            places=tuple((kept.index(place), name) for place, name in places),
            converters=tuple(
                (position, expression, functions)
                for position, (functions, expression) in compiler.get_converters(selected).items()
            ),
            read=self._reader(compiler),
        )

    def _marked(self, age: date) -> Values:
        return {name: _MARKED[self.parameters[name]](age) for name in self.markers}

    def _compiled(self, values: Values) -> tuple[SQLCompiler, str, tuple[object, ...]]:
        compiler = self.queryset(**values).query.get_compiler(connection=connection)  # type: ignore[call-arg]
        try:
            sql, params = compiler.as_sql()
        except EmptyResultSet:
            raise NotCompilableError(f"{self.name}: it never finds anything") from None
        return compiler, sql, params

    def _reader(self, compiler: SQLCompiler) -> Callable[[Sequence[Any]], Row]:
        if compiler.query.selected is None and compiler.query.model is self.row:
            return _reader_of_objects(compiler)
        columns = tuple(compiler.query.selected or ())
        if [column.rpartition("__")[2] for column in columns] != _names(self.row):
            raise NotCompilableError(f"{self.name}: the columns are {', '.join(columns)}")
        return lambda values: self.row(*values)


def _with_constants(sql: str, params: Sequence[object], asked: dict[int, str]) -> tuple[str, list[int]]:
    """The statement with its constants written into it, and the places of the values that it still takes.

    Postgres plans a prepared statement for the average organization: what it knows of a constant, such as how
    many have a role, lets it choose what serves a large one too.
    """
    kept: list[int] = []
    places = iter(range(len(params)))

    def written(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%%"
        place = next(places)
        value = params[place]
        if place in asked or not isinstance(value, str | int):
            kept.append(place)
            return "%s"
        plain = value.value if isinstance(value, Enum) else value
        with connection.cursor() as cursor:
            return Literal(plain).as_string(cursor.connection).replace("%", "%%")

    return PLACEHOLDER.sub(written, sql), kept


def _reader_of_objects(compiler: SQLCompiler) -> Callable[[Sequence[Any]], Any]:
    """Reads as Django's own ModelIterable does."""
    model, own = compiler.klass_info["model"], compiler.klass_info["select_fields"]
    names = [compiler.select[position][0].target.attname for position in own]
    start, end = own[0], own[-1] + 1
    # The stubs are those of a later Django.
    related = get_related_populators(compiler.klass_info, compiler.select, connection.alias)  # type: ignore[call-arg]

    def read(values: Sequence[Any]) -> Any:
        found = model.from_db(connection.alias, names, values[start:end])
        for populator in related:
            populator.populate(values, found)
        for name, position in compiler.annotation_col_map.items():
            setattr(found, name, values[position])
        return found

    return read


def _marker_id(_age: date) -> uuid.UUID:
    return uuid.uuid4()


def _marker_text(_age: date) -> str:
    return uuid.uuid4().hex


def _marker_day(age: date) -> date:
    """A day of an age, so that no comparison with a value of today holds for both of two ages."""
    return age + timedelta(days=_random.randrange(DAYS_OF_AN_AGE))


def _marker_instant(age: date) -> datetime:
    return datetime.combine(_marker_day(age), time(1, 2, 3, _random.randrange(10**6)), UTC)


_MARKED: dict[type, Callable[[date], object]] = {
    uuid.UUID: _marker_id,
    date: _marker_day,
    datetime: _marker_instant,
    str: _marker_text,
}


def _is_one(value: object, markers: dict[Any, str]) -> bool:
    """By its type first: what is of another may have no hash."""
    return type(value) in _MARKED and value in markers


def _names(row: type) -> list[str]:
    if is_dataclass(row):
        return [field.name for field in fields(row)]
    return list(getattr(row, "_fields", ()))


def _converted(row: Sequence[object], statement: Statement) -> list[object]:
    values = list(row)
    for position, expression, functions in statement.converters:
        for function in functions:
            values[position] = function(values[position], expression, connection)
    return values
